import Linux

/// The TCP clients in a listener's queue that had left when an instance was stopped that had not accepted them: they have closed, or sent a
/// FIN, or have reset the connection. Nobody would notice another start for them alone, and the next instance would end as this one.
struct GoneClients {
  /// Those of whom the kernel has the connection still (SO_COOKIE).
  private var cookies: Set<UInt64> = []
  /// How long the queue was, with those who had reset the connection: the kernel does not list them.
  private var length = 0

  init() {}

  /// - Parameters:
  ///   - queued: the connections that the kernel lists of the queue.
  ///   - length: the length of the queue.
  init(queued: [TCPConnection], length: Int) {
    let left = queued.filter { $0.state == .closeWait }
    cookies = Set(left.map(\.cookie))
    self.length = length - (queued.count - left.count)
  }

  var isEmpty: Bool { length <= 0 }

  func contains(_ connection: TCPConnection) -> Bool { cookies.contains(connection.cookie) }

  /// Whether nobody is in a queue but these.
  func areAll(queued: [TCPConnection], length: Int) -> Bool {
    length <= self.length && queued.allSatisfy(contains)
  }
}
