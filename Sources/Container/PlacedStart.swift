import GuestSpec
import Launching
import Linux
import Planning
import Supervision
import Systemd

/// The last part of a start: PID 1 waits, is moved into the instance's scope if there is one, and executes the guest's program.
final class PlacedStart {
  private unowned let instance: ContainerInstance
  private let launch: WaitingLaunch
  private let plan: LaunchPlan
  /// Nil where there is no service manager that makes scopes.
  private let placement: Placement?

  init(_ instance: ContainerInstance, _ launch: WaitingLaunch, _ plan: LaunchPlan, _ placement: Placement?) {
    self.instance = instance
    self.launch = launch
    self.plan = plan
    self.placement = placement
  }

  /// - Throws: `LaunchError`; PID 1 has not executed the guest's program, and has been reaped.
  func begin() throws(LaunchError) {
    guard let placement else {
      do throws(LaunchError) {
        return try execute()
      } catch {
        launch.cancel()
        throw error
      }
    }
    do throws(SystemError) {
      try placement.begin(instance.backend.loop) { [unowned self] in placed($0) }
    } catch {
      launch.cancel()
      throw LaunchError("waiting for the guest's scope (\(error.call))", errno: error.errno)
    }
  }

  private func placed(_ place: Placement.Place) {
    // The instance releases this object when PID 1 has executed the guest's program, so `self` is not used after that.
    let instance = instance
    do throws(StartError) {
      if let remark = place.remark { instance.remarks.append(remark) }
      if let scope = place.scope { try enter(scope) }
      do throws(LaunchError) { try execute() } catch { throw .launch(error) }
    } catch {
      launch.cancel()
      instance.startFailed(error)
    }
  }

  /// Makes the instance's cgroup below that of its scope, and moves PID 1 there.
  private func enter(_ scope: String) throws(StartError) {
    let backend = instance.backend
    let cgroup: GuestCgroup
    do throws(SystemError) {
      // The record is written before PID 1 is in the cgroup, so that the next daemon finds the cgroup if this one is killed in between.
      try InstanceRecord(runtime: backend.runtime).write(instance.name, base: scope, instance.holdings?.root)
      cgroup = try GuestCgroup(
        making: instance.name, in: scope, controllers: backend.cgroupBase.controllers, moving: instance.pid)
    } catch {
      throw .system(error)
    }
    do throws(SystemError) { try instance.moved(to: cgroup) } catch { throw .system(error) }
    backend.scopes?.onStop(of: instance.name) { [weak instance] in instance?.report(.stopRequested) }
  }

  private func execute() throws(LaunchError) {
    // The limits are set only now, because the cgroup is final only now.
    let missing = try instance.container.prepare(for: plan)
    instance.limits = plan.limits.filter { !missing.contains($0) }.map(InstanceLimit.init)
    if case .kept(let bytes)? = instance.holdings?.host.diskLimit {
      instance.limits.append(InstanceLimit("DiskMax", "\(bytes)"))
    }
    instance.remarks += plan.unmet(missing, because: instance.backend.obstacle)
    try launch.execute(in: instance.container) { _ in }
    let instance = instance
    instance.start = nil
    instance.began()
  }
}

extension LaunchPlan {
  /// The settings of the guest's file that have no effect, by controller. `missing` are limits that this kernel has no file for.
  fileprivate func unmet(_ missing: [CgroupLimit], because reason: String?) -> [InstanceRemark] {
    Dictionary(grouping: unmetLimits + missing.filter { !$0.isDefault }, by: \.controller).sorted { $0.key < $1.key }
      .map { controller, limits in
        let settings = limits.map { "\($0.setting)=" }.joined(separator: ", ")
        return .unmet(settings: settings, controller: controller, reason: reason)
      }
  }
}

extension InstanceLimit {
  fileprivate init(_ limit: CgroupLimit) {
    self.init(limit.setting, limit.files.first?.text ?? "", isDefault: limit.isDefault)
  }
}
