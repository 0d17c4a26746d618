import Glibc
import Linux
import Planning

// The limits, owner and device policy of the cgroup.
extension GuestCgroup {
  /// Sets the owner, limits and device policy of the plan, which must be done before the guest's program is executed in the cgroup.
  ///
  /// - Returns: the limits that this kernel has no file for although it has the controller.
  /// - Throws: `LaunchError`, which names what is refused.
  public func prepare(for plan: LaunchPlan) throws(LaunchError) -> [CgroupLimit] {
    do throws(SystemError) {
      if let map = plan.users { try delegate(toUser: map.users.outer, group: map.groups.outer) }
    } catch {
      throw LaunchError("preparing the guest's cgroup (\(error.call))", errno: error.errno)
    }
    let missing = try apply(plan.limits)
    try restrictDevices(of: plan)
    return missing
  }

  /// Sets the limits. Called before the guest starts.
  ///
  /// - Returns: the limits that this kernel has no file for although it has the controller.
  /// - Throws: `LaunchError`, which names the setting, when the kernel refuses a value.
  public func apply(_ limits: [CgroupLimit]) throws(LaunchError) -> [CgroupLimit] {
    var missing: [CgroupLimit] = []
    for limit in limits {
      var isSet = false
      for file in limit.files {
        do throws(SystemError) {
          try Cgroup2.write(file.text, to: Cgroup2.open("\(path)/\(file.name)", O_WRONLY), file.name)
          isSet = true
        } catch {
          // A limit may have several files, of which the kernel has one.
          if error.errno == ENOENT { continue }
          throw LaunchError("setting \(limit.setting)= (\(file.name) to \(file.text))", errno: error.errno)
        }
      }
      if !isSet { missing.append(limit) }
    }
    return missing
  }

  /// The limit in a file of the cgroup such as `memory.max`; nil when it is `max`, or cannot be read.
  public func limit(_ file: String) -> String? {
    guard let text = try? readFile("\(path)/\(file)", limit: 64) else { return nil }
    let value = String(decoding: text, as: UTF8.self).prefix { $0 != "\n" }
    return value == "max" ? nil : String(value)
  }

  /// Restricts the devices of the guest to those of the plan.
  func restrictDevices(of plan: LaunchPlan) throws(LaunchError) {
    guard let devices = plan.devices else { return }
    do throws(SystemError) {
      let allowed = devices.map {
        AllowedDevice(isBlock: $0.kind == .block, major: $0.major, minor: $0.minor)
      }
      try Cgroup2.restrictDevices(of: directory, to: allowed)
    } catch {
      throw LaunchError("restricting the guest's devices (\(error.call))", errno: error.errno)
    }
  }
}
