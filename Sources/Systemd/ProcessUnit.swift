import CSystemd
import Glibc

/// The systemd unit that a process belongs to, found by its cgroup.
public enum ProcessUnit {
  /// Whether systemd is the host's service manager (sd_booted(3)).
  public static var hasManager: Bool { sd_booted() > 0 }

  /// The name of the unit, such as `dormouse.service`; nil when the process has ended, or belongs to no unit. 0 is this process.
  public static func name(of pid: Int32 = 0) -> String? {
    var name: UnsafeMutablePointer<CChar>?
    defer { free(name) }
    return sd_pid_get_unit(pid, &name) >= 0 ? name.map { String(cString: $0) } : nil
  }

  /// The slice of this process's unit, such as `machine.slice`.
  public static var slice: String? {
    var name: UnsafeMutablePointer<CChar>?
    defer { free(name) }
    return sd_pid_get_slice(0, &name) >= 0 ? name.map { String(cString: $0) } : nil
  }
}
