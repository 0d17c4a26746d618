import GuestSpec
import Launching
import Linux
import Supervision
import Systemd

/// Moves an instance whose PID 1 waits into a scope, and registers it with systemd-machined while PID 1 is in the scope's own cgroup.
///
/// Neither the service manager nor machined can delay the instance for longer than `Scopes.deadline`.
final class Placement {
  /// The cgroup in which the instance stays.
  struct Place {
    /// The cgroup of the scope, with PID 1 in it. Nil: there is no scope, and PID 1 stays in the cgroup in which it was made.
    var scope: String?
    var remark: InstanceRemark?
  }

  private let scopes: Scopes
  private let machines: Machines
  private let request: ScopeRequest
  private let machine: Machines.Machine
  private var deadline: EventSource?
  private var scope: String?
  private var done: ((Place) -> Void)?

  init(_ scopes: Scopes, _ machines: Machines, _ request: ScopeRequest, _ machine: Machines.Machine) {
    self.scopes = scopes
    self.machines = machines
    self.request = request
    self.machine = machine
  }

  /// Gives up the scope if the instance ended before it was in it.
  deinit { request.release() }

  /// Calls `done` once: before this method returns, or in a later turn of the loop.
  ///
  /// - Throws: `SystemError` when there is no memory for the timer of the deadline.
  func begin(_ loop: EventLoop, _ done: @escaping (Place) -> Void) throws(SystemError) {
    deadline = try loop.after(Scopes.deadline) { [unowned self] in passed() }
    self.done = done
    request.whenSettled { [weak self] in self?.settled($0) }
  }

  private func settled(_ outcome: ScopeRequest.Outcome) {
    switch outcome {
    case .made(let scope): enter(scope)
    case .failed(let reason): stay(because: reason)
    }
  }

  private func enter(_ scope: String) {
    do throws(SystemError) {
      try Cgroup2.move(machine.leader, to: scope)
    } catch {
      return stay(because: "\(error)")
    }
    self.scope = scope
    request.release()
    machines.register(machine) { [weak self] failure in
      self?.finish(failure.map { .notRegistered(reason: $0) })
    }
  }

  private func passed() {
    if scope == nil { return stay(because: "the service manager has not made it within \(Scopes.deadline)") }
    machines.stopWaiting(for: machine.name)
    finish(.notRegistered(reason: "it has not answered within \(Scopes.deadline)"))
  }

  private func stay(because reason: String) { finish(.noScope(reason: reason)) }

  private func finish(_ remark: InstanceRemark?) {
    guard let done else { return }
    self.done = nil
    deadline = nil
    request.release()
    done(Place(scope: scope, remark: scopes.news(remark)))
  }
}
