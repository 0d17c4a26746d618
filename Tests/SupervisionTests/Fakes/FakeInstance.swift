import Glibc
import GuestSpec
import Linux
import Systemd

@testable import Supervision

/// An instance to which happens what the test says. It has the listeners' descriptors that a guest would have.
final class FakeInstance: Instance {
  let name: InstanceName
  let pid: Int32
  let cgroup: String
  let consoles: [Console] = []
  let remarks: [InstanceRemark] = []
  let limits = [InstanceLimit("TasksMax", "4096", isDefault: true)]
  let sshSocket: String? = nil
  var refusedMessages = 0
  /// nil when it cannot be frozen.
  var fakeFreezing: FakeFreezing? = FakeFreezing()
  var freezing: (any Freezing)? { fakeFreezing }

  /// What `watch`, `signal` and `kill` fail with.
  var watchFailure: SystemError?
  var signalFailure: SystemError?
  var killFailure: SystemError?
  /// What it was sent, and how often it was to be killed, failures included.
  private(set) var signals: [Signal] = []
  private(set) var kills = 0
  /// Goes on with a start that answers later.
  var execute: () throws(SystemError) -> Void = { () throws(SystemError) in }

  private var reportEvent: ((InstanceEvent) -> Void)?
  private var sockets: DescriptorList?
  private var closed: Set<UInt64> = []
  /// Whether it is known which sockets it has open.
  var isScanned = true

  init(_ name: InstanceName) {
    self.name = name
    pid = 4000 + Int32(name.number)
    cgroup = "/dormouse/\(name)"
  }

  var isWatched: Bool { reportEvent != nil }

  func watch(_ report: @escaping (InstanceEvent) -> Void) throws(SystemError) {
    if let watchFailure { throw watchFailure }
    reportEvent = report
  }

  func signal(_ signal: Signal) throws(SystemError) {
    signals.append(signal)
    if let signalFailure { throw signalFailure }
  }

  /// Whether it has a handler for signals.
  var hearsSignals = true
  func hears(_ signal: Signal) -> Bool { hearsSignals }

  func kill() throws(SystemError) {
    kills += 1
    if let killFailure { throw killFailure }
  }

  func holders(of sockets: Set<UInt64>) -> Set<UInt64>? {
    isScanned ? sockets.intersection(inodes).subtracting(closed) : nil
  }

  func forEachSocket(_ body: (consuming OwnedFD) -> Void) {
    for number in sockets?.numbers ?? [] {
      let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
      if copy >= 0 { body(OwnedFD(owning: copy)) }
    }
  }
}

// What the test has it do.
extension FakeInstance {
  func take(_ sockets: DescriptorList) { self.sockets = sockets }

  /// The inodes of the listeners that it was handed, in order.
  var inodes: [UInt64] {
    (sockets?.numbers ?? []).map { number in
      var status = stat()
      return fstat(number, &status) == 0 ? UInt64(status.st_ino) : 0
    }
  }

  func report(_ event: InstanceEvent) { reportEvent?(event) }

  /// PID 1 sends this to its notify socket.
  func say(_ text: String) {
    if let message = NotifyMessage(Array(text.utf8)) { report(.notified(message)) }
  }

  /// Everything of it has ended: by reboot(2), unless another status is given.
  func end(_ status: ExitStatus = .killed(signal: SIGINT)) {
    let report = reportEvent
    (reportEvent, sockets) = (nil, nil)
    report?(.ended(status))
  }

  /// The guest no longer has that listener open, as far as can be seen in /proc.
  func close(_ inode: UInt64) { closed.insert(inode) }

  /// Accepts a client at the listener in this place.
  ///
  /// - Throws: `SystemError`, `EAGAIN` when nobody waits there.
  func accept(at place: Int = 0) throws(SystemError) -> OwnedFD {
    guard let sockets, sockets.numbers.indices.contains(place) else { throw SystemError("accept", errno: EBADF) }
    let number = sockets.numbers[place]
    // The listeners of a guest that is not systemd block.
    var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
    if poll(&entry, 1, 0) == 0 { throw SystemError("accept", errno: EAGAIN) }
    return OwnedFD(owning: try retrying("accept") { Glibc.accept(number, nil, nil) })
  }

  /// Accepts a client there and hangs up; false when nobody waits.
  func serves(at place: Int = 0) -> Bool {
    do throws(SystemError) {
      _ = try accept(at: place)
      return true
    } catch {
      return false
    }
  }
}

/// A freezer that freezes nothing, and remembers what it was asked for.
final class FakeFreezing: Freezing {
  enum Call: Equatable {
    case freeze
    case thaw(staged: Bool)
    case quiesce, resume, reclaimMemory
  }

  private(set) var calls: [Call] = []
  private(set) var preferred: Set<UInt64> = []
  /// Whether `freeze` takes a while; `complete` ends it.
  var isSlow = false
  /// What `freeze` fails with.
  var failure: SystemError?
  private var completed: (() -> Void)?

  func freeze(_ completed: @escaping () -> Void) throws(SystemError) -> Bool {
    calls.append(.freeze)
    if let failure { throw failure }
    if isSlow { self.completed = completed }
    return !isSlow
  }

  /// The freezing that took a while is over.
  func complete() { completed?() }

  func thaw(staged: Bool) throws(SystemError) -> Duration {
    calls.append(.thaw(staged: staged))
    return .seconds(1)
  }

  func quiesce() throws(SystemError) { calls.append(.quiesce) }

  func resume() throws(SystemError) { calls.append(.resume) }

  func prefer(_ sockets: Set<UInt64>) { preferred = sockets }

  func reclaimMemory(failed: @escaping (String) -> Void) { calls.append(.reclaimMemory) }
}
