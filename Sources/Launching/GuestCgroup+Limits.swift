import Glibc
import Linux
import Planning

// What the guest may use, and what came of it.
extension GuestCgroup {
  /// Sets the limits, before the guest starts.
  ///
  /// - Returns: those that this kernel has no file for, whatever the controller.
  /// - Throws: `LaunchError` that names the setting whose value the kernel refuses.
  public func apply(_ limits: [CgroupLimit]) throws(LaunchError) -> [CgroupLimit] {
    var missing: [CgroupLimit] = []
    for limit in limits {
      var isSet = false
      for file in limit.files {
        do throws(SystemError) {
          try Cgroup2.write(file.text, to: Cgroup2.open("\(path)/\(file.name)", O_WRONLY), file.name)
          isSet = true
        } catch {
          // Of several files the kernel may know one only.
          if error.errno == ENOENT { continue }
          throw LaunchError("setting \(limit.setting)= (\(file.name) to \(file.text))", errno: error.errno)
        }
      }
      if !isSet { missing.append(limit) }
    }
    return missing
  }
}
