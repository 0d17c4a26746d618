import Linux
import Systemd

/// A client that is attached to a terminal of a guest. Its connection carries only the terminal's bytes.
final class ConsoleClient {
  private let socket: OwnedFD
  private var source: EventSource?
  private var events: IOEvents = .readable
  private var unsent: [UInt8] = []
  /// Whether its input is read now.
  var isRead = true { didSet { updateEvents() } }

  /// The most unsent output that is kept. A client that does not read misses what comes beyond: the guest does not wait for it.
  private static let limit = 1 << 20

  init(_ socket: consuming OwnedFD) { self.socket = socket }

  /// The loop requires that a source is cancelled before its descriptor is closed.
  deinit { source?.cancel() }

  /// - Throws: `SystemError` when epoll refuses.
  func watch(_ loop: EventLoop, handler: @escaping (IOEvents) -> Void) throws(SystemError) {
    source = try loop.watch(socket, for: events, handler: handler)
  }

  /// Sends output of the guest; false when the client is gone.
  func show(_ bytes: [UInt8]) -> Bool {
    unsent += bytes.prefix(max(0, Self.limit - unsent.count))
    return flush()
  }

  /// Sends as much as the socket accepts; false when the client is gone.
  func flush() -> Bool {
    if !unsent.isEmpty {
      guard let count = try? UnixStream.send(unsent[...], to: socket) else { return false }
      unsent.removeFirst(count)
    }
    updateEvents()
    return true
  }

  /// Reads input.
  ///
  /// - Returns: nothing when the client has ended its input, nil when there is none now.
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
