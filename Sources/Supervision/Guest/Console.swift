import Glibc
import Linux
import Systemd

/// A guest's console, or another terminal of it: always drained, or a guest that prints would stand still; the end of what it printed is
/// kept in memory, and nothing of it reaches a disk.
///
/// Those who are attached see what it prints, and what they type is typed there.
package final class Console {
  private(set) var text = ConsoleText()
  private let master: OwnedFD
  private var peer: OwnedFD?
  private var loop: EventLoop?
  private var source: EventSource?
  private var pause: EventSource?
  private var clients: [Int: ConsoleClient] = [:]
  private var lastID = 0
  /// What was typed and the terminal has not taken: until it has, nobody's typing is read.
  private var typed: [UInt8] = []

  /// So many may look at one terminal.
  static let clientLimit = 8

  package init(master: consuming OwnedFD) { self.master = master }

  deinit { stopWatching() }

  /// Whether somebody is attached.
  var isAttended: Bool { !clients.isEmpty }

  var hasRoom: Bool { clients.count < Self.clientLimit }

  package func stopWatching() {
    source?.cancel()
    source = nil
    pause?.cancel()
    pause = nil
    clients = [:]
  }

  /// - Throws: `SystemError` when the terminal or a watch on it cannot be had.
  package func watch(_ loop: EventLoop) throws(SystemError) {
    self.loop = loop
    // PID 1 closes its end whenever it has nothing to print; without an end of our own epoll would report a hang-up then,
    // without pause.
    peer = try openPeer(of: master)
    // Last: a guest that prints without end must not keep anything else waiting.
    source = try loop.watch(master, for: .readable, priority: .last) { [unowned self] events in
      if events.contains(.writable) { pass() }
      drain()
    }
  }

  private static let piece = 16 * 1024

  /// Takes a bounded piece of what is there, and says whether there was any; what is left is reported again.
  @discardableResult
  private func drain() -> Bool {
    do throws(SystemError) {
      guard let bytes = try readReady(master, limit: Self.piece), !bytes.isEmpty else { return false }
      text.append(bytes)
      clients = clients.filter { $0.value.show(bytes) }
      return true
    } catch {
      // A guest has hung the terminal up (vhangup(2), as a getty does), and our end of it with the others.
      if error.errno == EIO { reopen() }
      // Another error cannot be mended here, and the guest's end is told by its pidfd.
      return false
    }
  }

  private func reopen() {
    do throws(SystemError) {
      peer = try openPeer(of: master)
    } catch {
      // Only a lack of descriptors or memory leads here, and the kernel has no event for its end; the hang-up would be reported
      // without pause.
      try? source?.setEnabled(false)
      pause = try? loop?.after(.seconds(1), accuracy: .milliseconds(100)) { [unowned self] in
        pause = nil
        try? source?.setEnabled(true)
      }
    }
  }

  /// Takes what is left when the guest has ended: no more than a terminal holds, should somebody else go on printing.
  package func drainAll() {
    for _ in 0..<(2 * ConsoleText.capacity / Self.piece) where !drain() { return }
  }

  /// - Throws: `SystemError`.
  func resize(to size: WindowSize) throws(SystemError) { try setWindowSize(size, of: master) }
}

// Those who are attached.
extension Console {
  /// How much of what it showed before is shown to somebody new: about a screen.
  private static let recent = 4096

  /// Takes a connection over, for as long as its client and the guest go on.
  ///
  /// - Throws: `SystemError` when it cannot be watched.
  func attach(_ socket: consuming OwnedFD) throws(SystemError) {
    guard let loop, hasRoom else { return }
    lastID += 1
    let id = lastID
    let client = ConsoleClient(socket)
    try client.watch(loop) { [unowned self] events in heard(id, events) }
    if client.show(text.last(Self.recent)) { clients[id] = client }
  }

  private func heard(_ id: Int, _ events: IOEvents) {
    guard let client = clients[id] else { return }
    if events.contains(.writable), !client.flush() { return clients[id] = nil }
    if !typed.isEmpty {
      // Its typing is not read now, and a hang-up is reported whether or not one asks.
      if !events.isDisjoint(with: [.hangUp, .error]) { clients[id] = nil }
      return
    }
    do throws(SystemError) {
      guard let bytes = try client.receive() else { return }
      if bytes.isEmpty { return clients[id] = nil }
      typed = bytes
      pass()
    } catch {
      clients[id] = nil
    }
  }

  /// Gives the terminal what was typed, as much as it takes.
  private func pass() {
    // What a terminal does not take for another reason than room is lost, as when nobody reads it.
    let count = (try? writeReady(master, typed)) ?? typed.count
    typed.removeFirst(count)
    try? source?.setEvents(typed.isEmpty ? .readable : [.readable, .writable])
    for client in clients.values { client.isRead = typed.isEmpty }
  }
}
