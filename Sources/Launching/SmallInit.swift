import CLaunch
import Glibc
import Linux

/// The small init of `ProcessTwo=`: PID 1 of a guest whose program is PID 2.
enum SmallInit {
  /// As a file without a name, for a slot of the plan.
  final class Program {
    let descriptor: OwnedFD

    /// - Throws: `LaunchError`; `EACCES` where the sysctl vm.memfd_noexec forbids programs in memory.
    init() throws(LaunchError) {
      let file = launch_init_program()
      if file < 0 {
        let hint = -file == EACCES ? " (see the sysctl vm.memfd_noexec)" : ""
        throw LaunchError("making the program of the small init\(hint)", errno: Int32(-file))
      }
      descriptor = OwnedFD(owning: Int32(file))
    }
  }

  /// Whether a PID 1, by its number on the host, executes it; not when it has ended.
  ///
  /// - Throws: `SystemError` of readlink(2).
  static func isPID1(_ pid: Int32) throws(SystemError) -> Bool {
    do throws(SystemError) {
      return try readLink("/proc/\(pid)/exe").hasPrefix("/memfd:dormouse-init")
    } catch {
      if error.errno == ENOENT || error.errno == ESRCH { return false }
      throw error
    }
  }

  /// The guest's program; nil when it has ended already.
  ///
  /// - Throws: `SystemError` when that cannot be told.
  static func payload(in cgroup: GuestCgroup) throws(SystemError) -> ProcessHandle? {
    guard let pid = try cgroup.payload() else { return nil }
    do throws(SystemError) {
      let handle = try ProcessHandle(opening: pid)
      // Looked up once more: between the two calls the number could have become another process's.
      if try cgroup.payload() != pid { return nil }
      return handle
    } catch {
      if error.errno == ESRCH { return nil }
      throw error
    }
  }
}
