import Glibc
import Linux
import Systemd

/// The sockets that outlive this process, however it ends: the service manager has a descriptor of each in its store (`FDSTORE=1` of
/// sd_notify(3)) and passes it to the next daemon.
///
/// They are the guests' own sockets, and of AF_UNIX paths the second ones too, whose queue the kernel does not move. Without a service
/// manager nothing is kept.
final class SocketStore {
  private enum Word {
    case keep(HeldSocket, StoredName)
    case drop(StoredName)
  }

  private let manager: ServiceManager
  private let loop: EventLoop
  /// What the service manager had no room for yet, in order.
  private var unsaid: [Word] = []
  private var later: EventSource?

  init(_ manager: ServiceManager, loop: EventLoop) {
    self.manager = manager
    self.loop = loop
  }

  /// Whether there is a service manager.
  var isThere: Bool { manager.isListening }

  func keep(_ socket: HeldSocket, as name: StoredName) {
    if socket.isStored || !isThere { return }
    socket.isStored = true
    say(.keep(socket, name))
  }

  /// For one that is given up while this process goes on. It is shut down first: it would hold its address until the service manager has
  /// closed it.
  func drop(_ socket: HeldSocket, as name: StoredName) {
    if !socket.isStored { return }
    socket.isStored = false
    try? shutDown(socket.descriptor)
    say(.drop(name))
  }

  private func say(_ word: Word) {
    unsaid.append(word)
    if later == nil { sayAll() }
  }

  private func sayAll() {
    later = nil
    while let word = unsaid.first {
      do throws(SystemError) {
        switch word {
        case .keep(let socket, let name): try manager.store(socket.descriptor, named: "\(name)")
        case .drop(let name): try manager.unstore(named: "\(name)")
        }
      } catch {
        // Only what has no place for the moment is worth another try.
        if [EAGAIN, EMFILE, ENFILE, ENOMEM, ENOBUFS, ETOOMANYREFS].contains(error.errno) { return waitForRoom() }
      }
      unsaid.removeFirst()
    }
  }

  /// There is no event for it.
  private func waitForRoom() {
    later = try? loop.after(.milliseconds(200), accuracy: .milliseconds(50)) { [unowned self] in sayAll() }
  }
}
