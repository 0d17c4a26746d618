import GuestSpec
import Linux
import Systemd

/// One life of a guest, from PID 1's start to the end of the last process: what a supervisor asks of it.
///
/// Its end is the end of this object. A new start is a new object with a name that was never used before.
package protocol Instance: AnyObject {
  /// `web.3`: the guest's name and the number of the instance.
  var name: InstanceName { get }
  /// The host's number of PID 1.
  var pid: Int32 { get }
  /// The directory of the instance's cgroup, for a person.
  var cgroup: String { get }
  /// The console first, then the terminals of `Terminals=`; none for an orphan.
  var consoles: [Console] { get }
  /// What of the guest's file is not in force in this instance, and what else is worth a line in the log.
  var remarks: [InstanceRemark] { get }
  /// The resource limits in force. Of an instance that an earlier daemon started, only those that can be read.
  var limits: [InstanceLimit] { get }
  /// The AF_UNIX socket at which the guest's SSH server listens on this host; nil when there is none.
  var sshSocket: String? { get }
  /// How many messages on the notify socket did not come from PID 1.
  var refusedMessages: Int { get }
  /// nil when this kind of instance cannot be frozen.
  var freezing: (any Freezing)? { get }

  /// Reports what happens from now on, until `ended`.
  ///
  /// - Throws: `SystemError` when it cannot be watched.
  func watch(_ report: @escaping (InstanceEvent) -> Void) throws(SystemError)

  /// Sends PID 1 a signal.
  ///
  /// - Throws: `SystemError`; `ESRCH` when it has ended, which `ended` reports.
  func signal(_ signal: Signal) throws(SystemError)

  /// Whether PID 1 has a handler for a signal, or blocks it to read it by a signalfd. The kernel drops all other signals to PID 1 of a PID
  /// namespace, except SIGKILL and SIGSTOP (pid_namespaces(7)).
  func hears(_ signal: Signal) -> Bool

  /// Kills every process, at once.
  ///
  /// - Throws: `SystemError` when some cannot be killed.
  func kill() throws(SystemError)

  /// Which of these sockets, by their inodes, processes of the instance have open.
  ///
  /// - Returns: nil when that is not known: it ended meanwhile, or has too many descriptors to be scanned.
  func holders(of sockets: Set<UInt64>) -> Set<UInt64>?

  /// Calls `body` with a duplicate of each socket that PID 1 has open.
  func forEachSocket(_ body: (consuming OwnedFD) -> Void)
}

/// A resource limit that an instance has.
package struct InstanceLimit {
  /// The setting's name without its `=`: `MemoryMax`.
  package var setting: String
  /// What was written to the cgroup: `1073741824`, `max`.
  package var value: String
  /// Whether it is the default, because the guest's file does not have the setting.
  package var isDefault: Bool

  package init(_ setting: String, _ value: String, isDefault: Bool = false) {
    (self.setting, self.value, self.isDefault) = (setting, value, isDefault)
  }
}

/// Freezes an instance, and thaws it.
package protocol Freezing: AnyObject {
  /// Freezes every process. Calls `completed` later when that takes a while.
  ///
  /// - Returns: whether all of them are frozen already; `completed` is not called then.
  /// - Throws: `SystemError`; the instance has to be thawed then.
  func freeze(_ completed: @escaping () -> Void) throws(SystemError) -> Bool

  /// Thaws the instance. In two stages, those that serve come first, a moment before the others.
  ///
  /// - Returns: for how long it was frozen.
  /// - Throws: `SystemError`; it is tried again until it succeeds. `ENODEV`: the instance is gone.
  func thaw(staged: Bool) throws(SystemError) -> Duration

  /// Freezes the instance for a moment, until `resume`. Does not wait for processes that take longer.
  ///
  /// - Throws: `SystemError`.
  func quiesce() throws(SystemError)

  /// Ends that.
  ///
  /// - Throws: as `thaw`.
  func resume() throws(SystemError)

  /// Of a frozen instance, has the processes thawed first that have one of these sockets, by their inodes, open.
  func prefer(_ sockets: Set<UInt64>)

  /// Moves the memory of a frozen instance out, in small pieces, until it is thawed; calls `failed` when that is impossible here.
  func reclaimMemory(failed: @escaping (String) -> Void)
}

/// What happens to an instance.
package enum InstanceEvent {
  /// PID 1 exists.
  case started
  /// PID 1 could not be made. Nothing is left of the instance.
  case startFailed(StartFailure)
  /// PID 1 sent a message to the notify socket.
  case notified(NotifyMessage)
  /// Somebody stops the instance without the daemon, for example by `systemctl stop` of its scope.
  case stopRequested
  /// The kernel killed this many processes for want of memory.
  case memoryKills(Int)
  /// Something around the instance changed or failed.
  case remark(InstanceRemark)
  /// PID 1 and everything else in the cgroup have ended.
  case ended(ExitStatus)
}

/// Something about an instance that is worth a line in the log.
package enum InstanceRemark {
  /// The kernel has no device policy for cgroup 2.
  case noDevicePolicy
  /// Limits that cannot be kept, for want of a controller.
  case unmet(settings: String, controller: String, reason: String?)
  /// A setting of the guest's file that is not carried out.
  case notCarriedOut(String)
  /// Another instance that runs has the machine ID of this one's root.
  case sameMachineID(as: String)
  /// `Port=` forwards to these addresses now.
  case forwarding(to: [String])
  case cannotForward(error: String)
  /// `Port=` works, but not for connections from the host's own 127.0.0.1.
  case notFromLoopback(error: String)
  /// The service manager made no scope for it; the reason, as text for the log.
  case noScope(reason: String)
  /// systemd-machined refused the machine.
  case notRegistered(reason: String)
  /// The end could not be brought about, watched or cleared up after.
  case cannotEnd(error: String)
}
