import GuestSpec
import Launching
import Linux
import Systemd

/// A scope that the service manager makes for an instance.
///
/// It is requested for a placeholder process, not for the instance's PID 1. A service manager that hangs may carry the request out long
/// after PID 1 has executed without a scope, and would move PID 1 out of its cgroup. A scope that comes too late has only the placeholder
/// in it, and ends when the placeholder does.
final class ScopeRequest {
  enum Outcome {
    /// The directory of the scope's cgroup, in which the placeholder is.
    case made(String)
    /// Why there is no scope.
    case failed(String)
  }

  let name: InstanceName
  private let scopes: Scopes
  private var outcome: Outcome?
  private var settled: ((Outcome) -> Void)?
  private var placeholder: Placeholder?
  private var jobs: SystemBus.Match?
  private var isWanted = true

  /// The deadline of the job, which runs from the service manager's answer.
  private var limit: EventSource?

  /// The timeout of the call. A service manager that hangs for longer will not answer.
  private static let patience = Duration.seconds(600)
  /// A job that takes longer than this after the answer counts as failed.
  private static let jobPatience = Duration.seconds(60)

  init(_ name: InstanceName, _ scopes: Scopes, _ placeholder: Placeholder) {
    self.name = name
    self.scopes = scopes
    self.placeholder = placeholder
  }

  /// Calls `settled` once: before this method returns, or later.
  func whenSettled(_ settled: @escaping (Outcome) -> Void) {
    if let outcome { settled(outcome) } else { self.settled = settled }
  }

  /// Ends the placeholder, because the instance is in the scope, or does not wait for it any longer.
  func release() {
    settled = nil
    isWanted = false
    // An outstanding call keeps this object and the placeholder alive: a service manager before 254 knows the process by its PID, which no
    // other process may get before the answer.
    if outcome != nil { placeholder = nil }
  }

  func settle(_ outcome: Outcome) {
    if self.outcome != nil { return }
    self.outcome = outcome
    jobs = nil
    limit = nil
    switch outcome {
    case .made: if !isWanted { placeholder = nil }
    case .failed: placeholder = nil
    }
    settled?(outcome)
    settled = nil
  }

  func send(on bus: SystemBus, _ properties: [(name: String, value: BusValue)]) {
    guard let placeholder, isWanted else { return settle(.failed("the start has ended")) }
    let process: (name: String, value: BusValue) =
      scopes.takesPidfds
      ? ("PIDFDs", .descriptors([placeholder.pidfd])) : ("PIDs", .unsigneds([UInt32(clamping: placeholder.pid)]))
    do throws(SystemError) {
      // The reply comes before the process is in the scope, and the signal JobRemoved after it. The signal may belong to another job or
      // come from any user, so the cgroup of the process decides. Until then this object keeps the placeholder alive: the service manager
      // does not notice the end of a process while it moves it, and the scope would stay for ever. The rule has no `arg2` (the unit),
      // because libsystemd compares no string argument that follows a number.
      if jobs == nil {
        jobs = try bus.match("type='signal',path='\(Scopes.manager.path)',member='JobRemoved'") { [self] _ in look() }
      }
      try bus.call(
        Scopes.manager, "StartTransientUnit",
        [.string(name.scope), .string("fail"), .properties([process] + properties), .noUnits], timeout: Self.patience
      ) { [self] in answered($0, bus, properties) }
    } catch {
      settle(.failed("\(error)"))
    }
  }

  private func answered(
    _ answer: Result<String, SystemBus.CallError>, _ bus: SystemBus, _ properties: [(name: String, value: BusValue)]
  ) {
    switch answer {
    case .success:
      look()
      if outcome == nil {
        limit = try? scopes.loop.after(Self.jobPatience) { [unowned self] in
          settle(.failed("no process was moved to it"))
        }
      }
    // systemd before 254 refuses an unknown property with this error.
    case .failure(let error) where error.name == "org.freedesktop.DBus.Error.PropertyReadOnly" && scopes.takesPidfds:
      scopes.takesPidfds = false
      send(on: bus, properties)
    case .failure(let error): settle(.failed(error.description))
    }
  }

  /// Checks whether the placeholder is in the scope.
  private func look() {
    guard let placeholder, let path = Cgroup2.path(ofProcess: placeholder.pid), path.hasSuffix("/" + name.scope) else {
      return
    }
    settle(.made(scopes.root + path))
  }
}
