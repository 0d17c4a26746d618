import CLaunch
import Glibc
import Linux
import Planning

/// A launch that failed: the step, and the kernel's errno.
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

/// A launch whose process waits at `.awaitPlacement`. The daemon can move it to another cgroup, and do other work meanwhile.
///
/// The process is killed when this value is deinitialized, unless it has executed the guest's program.
public final class WaitingLaunch {
  /// PID 1.
  public let process: GuestProcess
  private let plan: LaunchPlan
  // The process shares the daemon's memory, and reads this until execve(2).
  private let compiled: CompiledPlan
  // The plan has only its number, so it must stay open until the launch has finished.
  private let smallInit: SmallInit.Program?
  /// Nil when the process has executed the guest's program, or was ended.
  private var started: launch_result?

  /// Executes the steps of a plan until its process waits.
  ///
  /// Blocks only while the child executes the steps, which takes milliseconds. SIGCHLD must not be ignored.
  ///
  /// `namespaces` are the ones made for the plan, and `handed` the mounts that its facts name. The `listeners` become the descriptors 3 and
  /// up of PID 1, in this order; they stay the caller's, as do the mounts. PID 1 is made in the payload of `cgroup`, which is not removed
  /// when the launch fails.
  ///
  /// - Throws: `LaunchError`; no process of the guest is left.
  public init(
    _ plan: LaunchPlan, listeners: DescriptorList, namespaces: GuestNamespaces, handed: HandedMounts,
    cgroup: GuestCgroup
  ) throws(LaunchError) {
    if listeners.count != plan.listenerCount { throw LaunchError("passing the listeners", errno: EINVAL) }
    let terminals: DetachedTerminals
    do throws(SystemError) {
      terminals = try DetachedTerminals.make(
        user: plan.users?.users.outer ?? 0, group: plan.users?.groups.outer ?? 0, others: plan.terminals)
    } catch {
      throw LaunchError("making the console (\(error.call))", errno: error.errno)
    }
    let payload: OwnedFD
    do throws(SystemError) {
      payload = try cgroup.openPayload()
    } catch {
      throw LaunchError("preparing the guest's cgroup (\(error.call))", errno: error.errno)
    }
    try namespaces.makeMappings(of: plan)
    let mount = terminals.mount.raw
    let smallInit = plan.hasInit ? try SmallInit.Program() : nil
    let preloaded = try plan.preloaded.map { kind throws(LaunchError) in
      if let number = handed.number(of: kind) { return number }
      return try namespaces.number(of: kind, terminals: mount, smallInit: smallInit)
    }
    let sources = try CheckedSources(of: plan)
    // The descriptors stay open until the child has opened the files again.
    defer { withExtendedLifetime(sources) {} }
    let compiled = try CompiledPlan(
      plan, listeners: listeners.numbers, preloaded: preloaded, sources: sources)
    let score = try LentScore(plan.oomScoreAdjust)
    defer { score.restore() }
    let started = compiled.start(in: payload)
    // A child that failed has been reaped, but until then it read this memory.
    defer { withExtendedLifetime((compiled, smallInit)) {} }
    if started.failed != LAUNCH_NO_FAILURE.rawValue { throw failure(started, plan) }
    let others = terminals.others
    process = GuestProcess(
      ProcessHandle(pid: started.pid, owning: OwnedFD(owning: started.pidfd)), console: terminals.takeMaster(),
      terminals: others)
    self.plan = plan
    self.compiled = compiled
    self.smallInit = smallInit
    self.started = started
  }

  // Kills PID 1 by its pidfd, which `process` closes afterwards.
  deinit { cancel() }

  /// Lets the process go on, and execute the guest's program. It may be called once.
  ///
  /// Calls `hold` at the sync point, when nothing is left to do but to execute. `cgroup` is the one that PID 1 is in by now.
  ///
  /// - Returns: the value of `hold`.
  /// - Throws: `LaunchError`; no process of the guest is left, and no client was accepted.
  public func execute<Held>(
    in cgroup: GuestCgroup, _ hold: (GuestProcess) throws(SystemError) -> Held
  ) throws(LaunchError) -> Held {
    guard let waiting = started else { throw LaunchError(words(LAUNCH_AT_HANDLE.rawValue, plan), errno: ESRCH) }
    // The process shares the daemon's memory, and with it the score.
    let score = try LentScore(plan.oomScoreAdjust)
    defer { score.restore() }
    started = nil
    let continued = launch_continue(waiting)
    if continued.failed != LAUNCH_NO_FAILURE.rawValue { throw failure(continued, plan) }
    let held: Held
    do throws(SystemError) {
      if plan.hasInit { try process.findPayload(in: cgroup) }
      held = try hold(process)
    } catch {
      _ = launch_finish(continued, 0)
      throw LaunchError("\(words(LAUNCH_AT_HANDLE.rawValue, plan)) (\(error.call))", errno: error.errno)
    }
    let finished = launch_finish(continued, 1)
    if finished.failed != LAUNCH_NO_FAILURE.rawValue { throw failure(finished, plan) }
    return held
  }

  /// Kills and reaps the process, unless it has executed.
  public func cancel() {
    guard let waiting = started else { return }
    started = nil
    _ = launch_finish(waiting, 0)
  }
}

private func failure(_ result: launch_result, _ plan: LaunchPlan) -> LaunchError {
  LaunchError(words(result.failed, plan), errno: result.error)
}

/// Describes the point of failure `failed`: the index of a step, or a `launch_failure` of launch.h.
private func words(_ failed: Int32, _ plan: LaunchPlan) -> String {
  switch failed {
  case LAUNCH_AT_PIPE.rawValue: "preparing a process"
  case LAUNCH_AT_CLONE.rawValue: "starting a process in the guest's cgroup"
  case LAUNCH_AT_DESCRIPTORS.rawValue: "arranging descriptors"
  case LAUNCH_AT_HANDLE.rawValue: "taking control of the guest's PID 1"
  default: plan.steps.indices.contains(Int(failed)) ? plan.steps[Int(failed)].description : "ending the plan"
  }
}
