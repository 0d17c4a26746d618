import Linux

/// The clients in a listener's queue that had left when an instance was stopped that had not accepted them: they have closed, or sent a
/// FIN, or have reset the connection. Nobody would notice another start for them alone, and the next instance would end as this one.
struct GoneClients {
  /// Those of TCP of whom the kernel has the connection still (SO_COOKIE).
  private var cookies: Set<UInt64> = []
  /// How many they are, with those who had reset the connection, whom the kernel does not list, and those of AF_UNIX, who have no number.
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

  /// - Parameter pending: the clients in the queue of an AF_UNIX listener, as the kernel lists them.
  init(pending: [UInt32]) { length = pending.count { $0 == 0 } }

  var isEmpty: Bool { length <= 0 }

  func contains(_ connection: TCPConnection) -> Bool { cookies.contains(connection.cookie) }

  /// Whether only these clients are in the queue of an AF_UNIX listener.
  func areAll(pending: [UInt32]) -> Bool { pending.count <= length && pending.allSatisfy { $0 == 0 } }

  /// Whether only these clients are in the queue of a TCP listener.
  func areAll(queued: [TCPConnection], length: Int) -> Bool {
    length <= self.length && queued.allSatisfy(contains)
  }

  /// The guest is gone: it may have accepted some, or dropped them, and others may come that have left as well.
  mutating func remain(_ count: Int) { length = min(length, count) }
}
