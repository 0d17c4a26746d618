import Linux
import Systemd

/// Somebody who is attached to a terminal of a guest, by a connection that carries bytes and nothing else.
final class ConsoleClient {
  private let socket: OwnedFD
  private var source: EventSource?
  private var events: IOEvents = .readable
  private var unsent: [UInt8] = []
  /// Whether its typing is read now.
  var isRead = true { didSet { updateEvents() } }

  /// No guest waits for a client: what one does not read is left out beyond this.
  private static let limit = 1 << 20

  init(_ socket: consuming OwnedFD) { self.socket = socket }

  /// Before the socket is closed, as the loop wants it.
  deinit { source?.cancel() }

  /// - Throws: `SystemError` when epoll refuses.
  func watch(_ loop: EventLoop, handler: @escaping (IOEvents) -> Void) throws(SystemError) {
    source = try loop.watch(socket, for: events, handler: handler)
  }

  /// Sends what the guest printed; false when the client is gone.
  func show(_ bytes: [UInt8]) -> Bool {
    unsent += bytes.prefix(max(0, Self.limit - unsent.count))
    return flush()
  }

  /// Sends what there is room for; false when the client is gone.
  func flush() -> Bool {
    if !unsent.isEmpty {
      guard let count = try? UnixStream.send(unsent[...], to: socket) else { return false }
      unsent.removeFirst(count)
    }
    updateEvents()
    return true
  }

  /// What it typed: nothing at its end, nil when there is none now.
  ///
  /// - Throws: `SystemError` when the client is gone.
  func receive() throws(SystemError) -> [UInt8]? { try UnixStream.receive(from: socket, upTo: 4096) }

  private func updateEvents() {
    var wanted: IOEvents = isRead ? .readable : []
    if !unsent.isEmpty { wanted.insert(.writable) }
    if wanted == events { return }
    events = wanted
    try? source?.setEvents(wanted)
  }
}
