import ControlProtocol
import Fakes
import Glibc
import GuestFiles
import GuestSpec
import Lifecycle
import Listeners
import Systemd

@testable import Linux
@testable import Supervision

/// One guest with its supervisor, above a fake backend: with sockets of its own, which need no privilege, and a clock that is turned by
/// hand.
final class World {
  let loop: EventLoop
  let timers = FakeTimers()
  let backend = FakeBackend()
  let asker = FakeAsker()
  let captured = CapturedLog()
  let context: Context
  let supervisor: Supervisor
  /// Answers to requests, in order.
  private(set) var replies: [Reply] = []
  private let directory: String

  /// - Parameters:
  ///   - hasPath: the second listener is an AF_UNIX path; the first is always TCP on a loopback address of this test's own.
  ///   - change: what the guest's file says besides.
  /// - Throws: `SystemError` when the kernel refuses the loop or the directory.
  init(path hasPath: Bool = false, _ change: (inout Guest) -> Void = { _ in }) throws {
    loop = try EventLoop()
    directory = "/tmp/dormouse-supervision-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    try makeDirectories(directory)
    context = try Context(
      loop: loop, timers: timers, log: captured.log, backend: backend, serviceManager: ServiceManager(),
      startLimit: 2, asker: asker)
    var group = SocketGroup()
    let host: [UInt8] = [127, .random(in: 1...254), .random(in: 1...254), .random(in: 1...254)]
    group.listen = [Listen(.stream, .ipv4(address: host, port: 7001))]
    if hasPath { group.listen.append(Listen(.stream, .path("\(directory)/web"))) }
    var guest = Guest(name: "web")
    guest.sockets = [group]
    guest.policy.idleStop = .seconds(60)
    change(&guest)
    supervisor = Supervisor(
      LoadedGuest(guest: guest, diagnostics: [], listeners: [], files: []), context: context)
  }

  deinit { try? removeTree(directory) }

  var state: State { supervisor.state }
  var history: GuestHistory { supervisor.history }
  /// The latest instance.
  var instance: FakeInstance {
    get throws {
      guard let instance = backend.instances.last else { throw SystemError("no instance was made", errno: ESRCH) }
      return instance
    }
  }
  /// The pauses that were made, with the failures in a row.
  var pauses: [Int] { captured.entries.compactMap { $0.message.pause?.failures } }

  /// Takes the guest on of which nothing runs, or an orphan.
  func begin(orphan: FakeInstance? = nil) { supervisor.begin(orphan: orphan) }

  /// Lets the time pass, a step at a time: the loop turns after each.
  func advance(by span: Duration) {
    timers.advance(by: span)
    loop.turn()
  }

  /// Begins, and has the guest started by a request and ready.
  func serve() throws {
    begin()
    wake()
    try instance.say("READY=1")
    loop.turn()
  }

  /// A client that is connected, and waits to be accepted. What that leads to has happened.
  func connect(to place: Int = 0) throws(SystemError) -> OwnedFD {
    let client = try connectQuietly(to: place)
    loop.turn()
    return client
  }

  /// A client of whom nothing has been noticed yet.
  func connectQuietly(to place: Int = 0) throws(SystemError) -> OwnedFD {
    let listener = supervisor.listeners.all[place]
    let isLocal = listener.local.port == nil
    let fd = OwnedFD(
      owning: try retrying("socket") {
        Glibc.socket(isLocal ? AF_UNIX : AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
      })
    let raw = fd.raw
    try retrying("connect \(listener.address)") { listener.local.withSockaddr { Glibc.connect(raw, $0, $1) } ?? -1 }
    return fd
  }

  /// Takes the directory of the path away, so that nothing can be bound there; or gives it back.
  func hideDirectory(_ isHidden: Bool) {
    let hidden = "\(directory)-hidden"
    _ = isHidden ? rename(directory, hidden) : rename(hidden, directory)
  }

  func wake() { supervisor.wake { [unowned self] in replies.append($0) } }
  func sleep(now: Bool = false) { supervisor.sleep(now: now) { [unowned self] in replies.append($0) } }
  func freeze(now: Bool = false) { supervisor.freeze(now: now) { [unowned self] in replies.append($0) } }
}
