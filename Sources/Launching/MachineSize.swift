import Glibc
import Linux
import Planning

extension MachineSize {
  /// What a share is a share of: as systemd has it, the machine's or, in a container, what the container has of it.
  static func gather() -> MachineSize {
    var size = MachineSize()
    size.page = UInt64(clamping: sysconf(Int32(_SC_PAGESIZE)))
    size.memory = UInt64(clamping: sysconf(Int32(_SC_PHYS_PAGES))) * size.page
    // Numbers of processes lie below pid_max, and 0 is none.
    size.tasks = min(
      number("/proc/sys/kernel/threads-max") ?? .max, number("/proc/sys/kernel/pid_max").map { $0 - 1 } ?? .max)
    guard let root = try? Cgroup2.rootDirectory() else { return size }
    if let limit = number(root + "/memory.max") { size.memory = min(size.memory, limit / size.page * size.page) }
    if let limit = number(root + "/pids.max") { size.tasks = min(size.tasks, limit) }
    return size
  }

  /// nil when there is no such file, or `max` in it.
  private static func number(_ path: String) -> UInt64? {
    guard let text = try? readFile(path, limit: 64) else { return nil }
    return UInt64(String(decoding: text, as: UTF8.self).prefix { $0.isNumber })
  }
}
