import Glibc
import Linux
import Systemd

/// A guest's console, or one of its other terminals. It is always read, because a guest that prints would otherwise block. The end of the
/// output is kept in memory, never on a disk.
///
/// Attached clients get the output, and what they type is written to the terminal.
package final class Console {
  private(set) var text = ConsoleText()
  private let master: OwnedFD
  private var peer: OwnedFD?
  private var loop: EventLoop?
  private var source: EventSource?
  private var retry: Retry?
  private var clients: [Int: ConsoleClient] = [:]
  private var lastID = 0
  /// Input that the terminal has not accepted yet. Until it has, no client's input is read.
  private var typed: [UInt8] = []
  /// Called once, when a client types something.
  var typing: (() -> Void)?

  /// How many clients can be attached to one terminal.
  static let clientLimit = 8

  package init(master: consuming OwnedFD) { self.master = master }

  deinit { stopWatching() }

  /// Whether a client is attached.
  var isAttended: Bool { !clients.isEmpty }

  var hasRoom: Bool { clients.count < Self.clientLimit }

  package func stopWatching() {
    source?.cancel()
    source = nil
    retry?.cancel()
    clients = [:]
  }

  /// Reads the terminal from now on.
  ///
  /// - Throws: `SystemError` when its other end cannot be opened or the loop cannot watch it.
  package func watch(_ loop: EventLoop) throws(SystemError) {
    self.loop = loop
    retry = Retry(loop)
    // PID 1 closes its end whenever it has nothing to print. If the daemon had not opened that end too, epoll would report a hang-up
    // again and again meanwhile.
    peer = try openPeer(of: master)
    // Last: a guest that prints without end must not delay anything else.
    source = try loop.watch(master, for: .readable, priority: .last) { [unowned self] events in
      if events.contains(.writable) { writeTyped() }
      drain()
    }
  }

  private static let piece = 16 * 1024

  /// Reads a piece of the output; epoll reports the rest again.
  ///
  /// - Returns: whether there was any.
  @discardableResult
  private func drain() -> Bool {
    do throws(SystemError) {
      guard let bytes = try readReady(master, limit: Self.piece), !bytes.isEmpty else { return false }
      text.append(bytes)
      clients = clients.filter { $0.value.show(bytes) }
      return true
    } catch {
      // EIO: the guest has hung the terminal up (vhangup(2), as a getty does), which closed the daemon's end too.
      if error.errno == EIO { reopen() }
      // Nothing can be done about another error, and the pidfd reports the guest's end.
      return false
    }
  }

  private func reopen() {
    do throws(SystemError) {
      peer = try openPeer(of: master)
    } catch {
      // Only a lack of descriptors or memory leads here. Disabled, because the hang-up would be reported again and again meanwhile; without
      // memory for a timer the terminal stays silent.
      try? source?.setEnabled(false)
      try? retry?.schedule { [unowned self] in try? source?.setEnabled(true) }
    }
  }

  /// Reads the rest of the output when the guest has ended: at most what a terminal can hold, because another process may still print.
  package func drainAll() {
    for _ in 0..<(2 * ConsoleText.capacity / Self.piece) where !drain() { return }
  }

  /// - Throws: `SystemError` of the ioctl.
  func resize(to size: WindowSize) throws(SystemError) { try setWindowSize(size, of: master) }
}

// The clients that are attached.
extension Console {
  /// How much of the earlier output a new client gets: about a screen.
  private static let recent = 4096

  /// Attaches a client until it or the guest ends.
  ///
  /// - Throws: `SystemError` when it cannot be watched.
  func attach(_ socket: consuming OwnedFD) throws(SystemError) {
    guard let loop, hasRoom else { return }
    lastID += 1
    let id = lastID
    let client = ConsoleClient(socket)
    try client.watch(loop) { [unowned self] events in receive(id, events) }
    if client.show(text.last(Self.recent)) { clients[id] = client }
  }

  private func receive(_ id: Int, _ events: IOEvents) {
    guard let client = clients[id] else { return }
    if events.contains(.writable), !client.flush() { return clients[id] = nil }
    if !typed.isEmpty {
      // Its input is not read now. epoll reports a hang-up always.
      if !events.isDisjoint(with: [.hangUp, .error]) { clients[id] = nil }
      return
    }
    do throws(SystemError) {
      guard let bytes = try client.receive() else { return }
      if bytes.isEmpty { return clients[id] = nil }
      typed = bytes
      writeTyped()
      typing.take()?()
    } catch {
      clients[id] = nil
    }
  }

  /// Writes as much of the pending input as the terminal accepts.
  private func writeTyped() {
    // Input that fails for another reason than a full terminal is dropped.
    let count = (try? writeReady(master, typed)) ?? typed.count
    typed.removeFirst(count)
    try? source?.setEvents(typed.isEmpty ? .readable : [.readable, .writable])
    for client in clients.values { client.isRead = typed.isEmpty }
  }
}
