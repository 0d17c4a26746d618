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
    // After the execution /proc/self/exe may not show the program's path, so its directory is passed on in the environment.
    if let directory { setenv(directoryVariable, directory, 1) }
    if let program = withItsPath(path) { try execute(program, path) }
    try execute(alone(path), path)
  }

  private static func execute(_ program: borrowing OwnedFD, _ path: String) throws(SystemError) {
    let number = program.raw
    try retrying("execveat \(path)") { linux_execute(number, CommandLine.unsafeArgv) }
  }

  /// Opens the program in a read-only clone of the root mount. The kernel shows a path in a detached mount from the root of that mount, so
  /// the program keeps its path for the journal's `_EXE=` and for ps(1).
  ///
  /// - Returns: nil when this is not possible, for example because the program is not on the root file system.
  private static func withItsPath(_ path: String) -> OwnedFD? {
    guard let own = try? readLink(path), own.hasPrefix("/"),
      let mount = try? cloneMount(at: "/"), (try? setAttributes(of: mount, .readOnly)) != nil
    else { return nil }
    let number = openat(mount.raw, String(own.dropFirst()), LINUX_O_PATH | O_CLOEXEC)
    if number < 0 { return nil }
    let program = OwnedFD(owning: number)
    // The path may lead to another file: a mount may cover the program's directory, or the program was replaced meanwhile.
    var (found, expected) = (stat(), stat())
    guard fstat(program.raw, &found) == 0, stat(path, &expected) == 0,
      (found.st_dev, found.st_ino) == (expected.st_dev, expected.st_ino)
    else { return nil }
    return program
  }

  /// Opens the program in a read-only clone of its mount that consists of this one file, where its path is `/`.
  private static func alone(_ path: String) throws(SystemError) -> OwnedFD {
    let program = try cloneMount(at: path)
    try setAttributes(of: program, .readOnly)
    return program
  }

  private static func isReadOnly(_ path: String) throws(SystemError) -> Bool {
    let file = OwnedFD(owning: try retrying("open \(path)") { open(path, LINUX_O_PATH | O_CLOEXEC) })
    var system = statfs()
    try retrying("statfs \(path)") { fstatfs(file.raw, &system) }
    return system.f_flags & Int(ST_RDONLY) != 0
  }

  /// The directory of this program's file; nil when it is not known.
  public static var directory: String? {
    if let known = getenv(directoryVariable) { return String(cString: known) }
    guard let path = try? readLink("/proc/self/exe"), let slash = path.lastIndex(of: "/") else { return nil }
    return String(path[..<slash])
  }

  private static let directoryVariable = "DORMOUSE_PROGRAMS"

  /// Sets the name that ps(1) and the journal show for this process. The kernel has none for a program that was executed without a path.
  public static func setName(_ name: String) { linux_set_name(name) }

  /// Raises the soft RLIMIT_NOFILE to the hard one, because this process may hold thousands of sockets. (The soft one is low for programs
  /// that use select(2).) If that fails, the old limit stays.
  public static func raiseDescriptorLimit() { _ = linux_raise_descriptor_limit() }
}
