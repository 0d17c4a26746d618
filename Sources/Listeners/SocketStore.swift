import Linux
import Systemd

/// The sockets that outlive this process, however it ends: the service manager has a descriptor of each in its store (`FDSTORE=1` of
/// sd_notify(3)) and passes it to the next daemon.
///
/// They are the guests' own sockets, and the standby ones at which clients wait apart from a guest on its way out. Without a service manager
/// nothing is kept.
package final class SocketStore {
  private enum Word {
    case keep(HeldSocket, StoredName)
    case drop(StoredName)
  }

  private let manager: ServiceManager
  private let loop: EventLoop
  private let report: (SystemError) -> Void
  /// What the service manager had no room for yet, in order.
  private var unsent: [Word] = []
  private var later: EventSource?
  /// Why the last word was not said, so that it is told once.
  private var trouble: SystemError?

  /// - Parameters:
  ///   - manager: the service manager that has the store.
  ///   - loop: runs the timer for what has to be sent again.
  ///   - report: receives why a message could not be sent, once until the reason changes.
  package init(_ manager: ServiceManager, loop: EventLoop, report: @escaping (SystemError) -> Void) {
    self.manager = manager
    self.loop = loop
    self.report = report
  }

  /// Whether there is a service manager.
  package var isThere: Bool { manager.isListening }

  /// May be called again and again: it is said once, and again when that failed.
  func keep(_ socket: HeldSocket, as name: StoredName) {
    if !isThere { return }
    if !socket.isStored {
      socket.isStored = true
      unsent.append(.keep(socket, name))
    }
    sendAll()
  }

  /// For one that is given up while this process goes on. It is shut down first: it would hold its address until the service manager has
  /// closed it.
  package func drop(_ socket: HeldSocket, as name: StoredName) {
    if !socket.isStored { return }
    socket.isStored = false
    // One for datagrams cannot be, and says so.
    try? shutDown(socket.descriptor)
    unsent.append(.drop(name))
    sendAll()
  }

  /// The service manager has one name for a socket, so it forgets the old one first.
  func rename(_ socket: HeldSocket, from old: StoredName, to new: StoredName) {
    if !socket.isStored { return }
    unsent += [.drop(old), .keep(socket, new)]
    sendAll()
  }

  /// Whether the service manager has had room for every word.
  var hasSentAll: Bool { unsent.isEmpty }

  private func sendAll() {
    if later != nil { return }
    while let word = unsent.first {
      do throws(SystemError) {
        try say(word)
        trouble = nil
      } catch {
        tell(error)
        if error.isForWantOfRoom { return waitForRoom() }
        if case .keep(let socket, _) = word { socket.isStored = false }
      }
      unsent.removeFirst()
    }
  }

  private func say(_ word: Word) throws(SystemError) {
    switch word {
    case .keep(let socket, let name): try manager.store(socket.descriptor, named: "\(name)")
    case .drop(let name): try manager.unstore(named: "\(name)")
    }
  }

  private func tell(_ error: SystemError) {
    if trouble == error { return }
    trouble = error
    report(error)
  }

  /// There is no event for it. Without a timer it is tried again with the next word.
  private func waitForRoom() {
    later = try? loop.after(.milliseconds(200), accuracy: .milliseconds(50)) { [unowned self] in
      later = nil
      sendAll()
    }
  }
}
