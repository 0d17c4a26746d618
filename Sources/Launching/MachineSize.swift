import Glibc
import Linux
import Planning

extension MachineSize {
  /// Reads how large this machine is. In a container that is what the container has of it, as systemd counts percentages too.
  static func gather() -> MachineSize {
    let root = try? Cgroup2.rootDirectory()
    return MachineSize(
      pageSize: sysconf(Int32(_SC_PAGESIZE)), pages: sysconf(Int32(_SC_PHYS_PAGES)),
      threadsMax: number("/proc/sys/kernel/threads-max"), pidMax: number("/proc/sys/kernel/pid_max"),
      memoryMax: root.flatMap { number($0 + "/memory.max") }, pidsMax: root.flatMap { number($0 + "/pids.max") })
  }

  /// - Parameters:
  ///   - pageSize: `_SC_PAGESIZE` of sysconf(3), which is -1 where libc does not know it.
  ///   - pages: `_SC_PHYS_PAGES`, likewise.
  ///   - threadsMax: the sysctl kernel.threads-max.
  ///   - pidMax: the sysctl kernel.pid_max.
  ///   - memoryMax: memory.max of the root of the cgroup namespace; nil for no limit.
  ///   - pidsMax: pids.max there; nil for no limit.
  init(pageSize: Int, pages: Int, threadsMax: UInt64?, pidMax: UInt64?, memoryMax: UInt64?, pidsMax: UInt64?) {
    self.init()
    if pageSize > 0 { page = UInt64(pageSize) }
    let (bytes, overflows) = UInt64(clamping: pages).multipliedReportingOverflow(by: page)
    memory = overflows ? .max : bytes
    // Process IDs lie below pid_max, and 0 is none.
    let processes = pidMax.flatMap { $0 > 0 ? $0 - 1 : nil }
    tasks = min(threadsMax ?? .max, processes ?? .max)
    if let memoryMax { memory = min(memory, memoryMax / page * page) }
    if let pidsMax { tasks = min(tasks, pidsMax) }
  }

  /// - Returns: nil when there is no such file, or `max` in it.
  private static func number(_ path: String) -> UInt64? {
    guard let text = try? readFile(path, limit: 64) else { return nil }
    return UInt64(String(decoding: text, as: UTF8.self).prefix { $0.isNumber })
  }
}
