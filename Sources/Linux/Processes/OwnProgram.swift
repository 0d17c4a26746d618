import CLinux
import Glibc

/// The program that this process runs.
public enum OwnProgram {
  /// Runs this program once more from a mount that nobody can write through; returns only when it runs from such a one already.
  ///
  /// The child that becomes a guest's process 1 is a process of this program until it executes another. A guest whose first
  /// program is a script for `/proc/self/exe` executes this one inside itself, and its root would find a way to the file by
  /// /proc/PID/exe: by that way it must not be written to (CVE-2019-5736 is what it did to runc).
  /// - Throws: `SystemError`; `EPERM` without CAP_SYS_ADMIN.
  public static func executeReadOnly() throws(SystemError) {
    let path = "/proc/self/exe"
    if try isReadOnly(path) { return }
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

  /// What ps(1) and the journal call this process: of a program without a path the kernel knows no name.
  public static func setName(_ name: String) { linux_set_name(name) }
}
