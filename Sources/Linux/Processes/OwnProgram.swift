import CLinux
import Glibc

/// The program that this process executes.
public enum OwnProgram {
  /// Executes this program again from a read-only mount. It returns only when the program runs from a read-only mount already.
  ///
  /// The child that becomes a guest's PID 1 runs this program until it executes another. A guest whose first program is a script for
  /// `/proc/self/exe` executes this program inside the guest. Root in the guest could then open the host's file through /proc/PID/exe,
  /// and must not be able to write to it (as CVE-2019-5736 did with runc).
  /// - Throws: `SystemError`; `EPERM` without CAP_SYS_ADMIN.
  public static func executeReadOnly() throws(SystemError) {
    let path = "/proc/self/exe"
    if try isReadOnly(path) { return }
    // The program that is executed has no path.
    if let directory { setenv(directoryVariable, directory, 1) }
    let program = try cloneMount(at: path)
    try setAttributes(of: program, .readOnly)
    try retrying("execveat \(path)") { linux_execute(program.raw, CommandLine.unsafeArgv) }
  }

  private static func isReadOnly(_ path: String) throws(SystemError) -> Bool {
    let file = OwnedFD(owning: try retrying("open \(path)") { open(path, LINUX_O_PATH | O_CLOEXEC) })
    var system = statfs()
    try retrying("statfs \(path)") { fstatfs(file.raw, &system) }
    return system.f_flags & Int(ST_RDONLY) != 0
  }

  /// The directory of this program; nil when it is not known.
  public static var directory: String? {
    guard let path = try? readLink("/proc/self/exe"), let slash = path.lastIndex(of: "/") else { return nil }
    if path == "/" { return getenv(directoryVariable).map { String(cString: $0) } }
    return String(path[..<slash])
  }

  private static let directoryVariable = "DORMOUSE_PROGRAMS"

  /// Sets the name that ps(1) and the journal show for this process. The kernel has none for a program that was executed without a path.
  public static func setName(_ name: String) { linux_set_name(name) }

  /// Raises the soft limit of descriptors to the hard one: it is low for programs that use select(2), and this one may hold thousands of
  /// sockets. Where that fails the old limit stays.
  public static func raiseDescriptorLimit() { _ = linux_raise_descriptor_limit() }
}
