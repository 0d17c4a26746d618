import CLaunch
import Glibc
import Linux

/// The small init of `ProcessTwo=`: PID 1 of a guest whose payload is PID 2.
enum SmallInit {
  /// The program of the small init, in a memfd, for a slot of the plan.
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

  /// Whether the process `pid`, a PID 1, executes the small init. A process that has ended does not.
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

  /// Opens the payload.
  ///
  /// - Returns: nil when it has ended already.
  /// - Throws: `SystemError` when it cannot be found or opened.
  static func payload(in cgroup: GuestCgroup) throws(SystemError) -> ProcessHandle? {
    guard let pid = try cgroup.payload() else { return nil }
    do throws(SystemError) {
      let handle = try ProcessHandle(opening: pid)
      // Found once more: between the two calls the kernel may have given the PID to another process.
      if try cgroup.payload() != pid { return nil }
      return handle
    } catch {
      if error.errno == ESRCH { return nil }
      throw error
    }
  }
}
