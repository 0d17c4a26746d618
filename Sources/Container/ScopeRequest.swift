import GuestSpec
import Launching
import Linux
import Systemd

/// A scope that the service manager makes for an instance.
///
/// It is made for a placeholder, not for the instance's PID 1: a service manager that hangs may do it long after PID 1 executed without a
/// scope, and must not move that out of its cgroup then. A scope that comes too late has the placeholder alone in it, and ends with that.
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

  /// Gives up a scope that was promised.
  private var limit: EventSource?

  /// A service manager that hangs for longer does not answer any more.
  private static let patience = Duration.seconds(600)
  /// A job that takes longer, after the answer, fails.
  private static let jobPatience = Duration.seconds(60)

  init(_ name: InstanceName, _ scopes: Scopes, _ placeholder: Placeholder) {
    self.name = name
    self.scopes = scopes
    self.placeholder = placeholder
  }

  /// Calls `settled` once, now or later.
  func whenSettled(_ settled: @escaping (Outcome) -> Void) {
    if let outcome { settled(outcome) } else { self.settled = settled }
  }

  /// Ends the placeholder: the instance is in the scope, or nobody waits for the scope any longer.
  func release() {
    settled = nil
    isWanted = false
    // The call that is outstanding keeps this object, and with it the placeholder, by whose number an old service manager knows it: no other
    // process may get the number before the answer.
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
      // The reply comes before the scope has the process, and the signal after that. It may be of another job, or from anybody: the process's
      // cgroup decides. This object is kept until then: the service manager does not notice the end of a process that it is moving just then,
      // and the scope would stay for ever. A rule for `arg2`, the unit, would match nothing: libsystemd compares no argument after a number.
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
    // How systemd before 254 refuses a property that it does not know.
    case .failure(let error) where error.name == "org.freedesktop.DBus.Error.PropertyReadOnly" && scopes.takesPidfds:
      scopes.takesPidfds = false
      send(on: bus, properties)
    case .failure(let error): settle(.failed(error.description))
    }
  }

  /// Looks whether the placeholder is in the scope.
  private func look() {
    guard let placeholder, let path = Cgroup2.path(ofProcess: placeholder.pid), path.hasSuffix("/" + name.scope) else {
      return
    }
    settle(.made(scopes.root + path))
  }
}
