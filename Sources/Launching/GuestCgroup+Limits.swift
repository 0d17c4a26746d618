import Glibc
import Linux
import Planning

// Resource limits.
extension GuestCgroup {
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

  /// The limit in a file of the cgroup such as `memory.max`; nil when there is none.
  public func limit(_ file: String) -> String? {
    guard let text = try? readFile("\(path)/\(file)", limit: 64) else { return nil }
    let value = String(decoding: text, as: UTF8.self).prefix { $0 != "\n" }
    return value == "max" ? nil : String(value)
  }
}
