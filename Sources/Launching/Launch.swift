import CLaunch
import Glibc
import Linux
import Planning

/// A start that failed: at which step, and the kernel's errno.
public struct LaunchError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was being done, in words: `mounting tmpfs on /dev`.
  public let step: String
  /// errno(3).
  public let errno: Int32

  public init(_ step: String, errno: Int32) {
    self.step = step
    self.errno = errno
  }

  /// `mounting tmpfs on /dev: Operation not permitted`.
  public var description: String { SystemError(step, errno: errno).description }
}

/// Carries out a plan: the guest's program runs when this returns.
///
/// Calls `hold` when PID 1 is there and the program is not yet executed. Whatever the caller cannot do without is had there, so that a
/// guest does not end for want of it in which a client may have been accepted.
///
/// Blocks only while the child carries out the steps (milliseconds), and on nothing else. Call it with SIGCHLD not ignored.
///
/// `namespaces` are those that the plan asks for, and `handed` the mounts that its facts name. The `listeners` become descriptors 3 and
/// up of PID 1, in this order; they stay the caller's, as do the mounts. PID 1 is born in the payload of `cgroup`, which stays as it is
/// when the start fails.
///
/// - Returns: what `hold` has made of PID 1.
/// - Throws: `LaunchError`; then no process of the guest is left, and nobody was accepted.
public func launch<Held>(
  _ plan: LaunchPlan, listeners: DescriptorList, namespaces: GuestNamespaces, handed: HandedMounts,
  cgroup: GuestCgroup, hold: (GuestProcess) throws(SystemError) -> Held
) throws(LaunchError) -> Held {
  if listeners.count != plan.listenerCount { throw LaunchError("passing the listeners", errno: EINVAL) }
  let terminals: DetachedTerminals
  do throws(SystemError) {
    terminals = try DetachedTerminals.make(
      user: plan.users?.users.outer ?? 0, group: plan.users?.groups.outer ?? 0, others: plan.terminals)
  } catch {
    throw LaunchError("making the console (\(error.call))", errno: error.errno)
  }
  try restrictDevices(plan, cgroup)
  let payload: OwnedFD
  do throws(SystemError) {
    payload = try cgroup.openPayload()
  } catch {
    throw LaunchError("preparing the guest's cgroup (\(error.call))", errno: error.errno)
  }
  try namespaces.makeMappings(of: plan)
  let mount = terminals.mount.raw
  let smallInit = plan.hasInit ? try SmallInit.Program() : nil
  // Its number is in the plan, and nothing else of it.
  defer { withExtendedLifetime(smallInit) {} }
  let preloaded = try plan.preloaded.map { kind throws(LaunchError) in
    if let number = handed.number(of: kind) { return number }
    return try namespaces.number(of: kind, terminals: mount, smallInit: smallInit)
  }
  let compiled = try CompiledPlan(plan, listeners: listeners.numbers, preloaded: preloaded)
  let score = try LentScore(plan.oomScoreAdjust)
  defer { score.giveBack() }
  let started = compiled.start(in: payload)
  // The child reads it until it has executed.
  defer { withExtendedLifetime(compiled) {} }
  if started.failed != LAUNCH_NO_FAILURE.rawValue { throw failure(started, plan) }
  let others = terminals.others
  let process = GuestProcess(
    ProcessHandle(pid: started.pid, owning: OwnedFD(owning: started.pidfd)), console: terminals.takeMaster(),
    terminals: others)
  // Until it has executed its descriptor is what it is ended by.
  defer { withExtendedLifetime(process) {} }
  let held: Held
  do throws(SystemError) {
    if plan.hasInit { try process.findPayload(in: cgroup) }
    held = try hold(process)
  } catch {
    _ = launch_finish(started, 0)
    throw LaunchError("\(words(LAUNCH_AT_HANDLE.rawValue, plan)) (\(error.call))", errno: error.errno)
  }
  let finished = launch_finish(started, 1)
  if finished.failed != LAUNCH_NO_FAILURE.rawValue { throw failure(finished, plan) }
  return held
}

private func failure(_ result: launch_result, _ plan: LaunchPlan) -> LaunchError {
  LaunchError(words(result.failed, plan), errno: result.error)
}

private func restrictDevices(_ plan: LaunchPlan, _ cgroup: GuestCgroup) throws(LaunchError) {
  guard let devices = plan.devices else { return }
  do throws(SystemError) {
    let allowed = devices.map {
      AllowedDevice(isBlock: $0.kind == .block, major: $0.major, minor: $0.minor)
    }
    try Cgroup2.restrictDevices(of: cgroup.directory, to: allowed)
  } catch {
    throw LaunchError("restricting the guest's devices (\(error.call))", errno: error.errno)
  }
}

/// What was being done at `failed`: an index of a step, or one of launch.h's places before the first.
private func words(_ failed: Int32, _ plan: LaunchPlan) -> String {
  switch failed {
  case LAUNCH_AT_PIPE.rawValue: "preparing a process"
  case LAUNCH_AT_CLONE.rawValue: "starting a process in the guest's cgroup"
  case LAUNCH_AT_DESCRIPTORS.rawValue: "arranging descriptors"
  case LAUNCH_AT_HANDLE.rawValue: "taking hold of the guest's first process"
  default: plan.steps.indices.contains(Int(failed)) ? plan.steps[Int(failed)].description : "ending the plan"
  }
}
