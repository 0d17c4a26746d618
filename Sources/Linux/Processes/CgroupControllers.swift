import CLinux
import Glibc

// Controllers and delegation: cgroups(7).
extension Cgroup2 {
  /// Lists the controllers that are available in a cgroup: none on a hybrid host, where cgroup 1 has them.
  ///
  /// - Throws: `SystemError`; `ENOENT` when the cgroup is gone.
  public static func controllers(of directory: String) throws(SystemError) -> [String] {
    try names(in: directory + "/cgroup.controllers")
  }

  /// Lists the controllers that are enabled for the cgroups below a cgroup.
  ///
  /// - Throws: `SystemError`; `ENOENT` when the cgroup is gone.
  public static func controllers(below directory: String) throws(SystemError) -> [String] {
    try names(in: directory + "/cgroup.subtree_control")
  }

  /// Enables those of the `controllers` that are available for the cgroups below `directory`, and skips the others.
  ///
  /// - Throws: `SystemError`; `ENOENT` when the cgroup is gone, `EBUSY` when processes are directly in it.
  public static func enable(_ controllers: [String], in directory: String) throws(SystemError) {
    if controllers.isEmpty { return }
    let path = directory + "/cgroup.subtree_control"
    let file = try open(path, O_WRONLY)
    // One by one, because the kernel enables none in a write that it refuses.
    for controller in controllers {
      do throws(SystemError) {
        try write("+\(controller)", to: file, path)
      } catch {
        if error.errno != ENOENT && error.errno != EINVAL { throw error }
      }
    }
  }

  /// Whether the service manager has delegated the cgroup (`Delegate=`). Since systemd 248 it marks that with an extended attribute; nil
  /// when there is no such attribute.
  public static func isDelegated(_ directory: String) -> Bool? {
    // A manager without privileges in the initial user namespace sets the second one.
    for name in ["trusted.delegate", "user.delegate"] {
      var value = [UInt8](repeating: 0, count: 8)
      if getxattr(directory, name, &value, value.count) > 0 { return value[0] == UInt8(ascii: "1") }
    }
    return nil
  }

  /// The files of a cgroup that are delegated to another user with it.
  public static var delegatedFiles: [String] {
    (try? names(in: "/sys/kernel/cgroup/delegate")) ?? ["cgroup.procs", "cgroup.threads", "cgroup.subtree_control"]
  }

  /// An open file of lines `NAME NUMBER`, such as memory.events or cpu.stat.
  public final class Counters {
    /// For memory.events and the like: polls as POLLPRI when the file may have changed, until `values()` reads it.
    public let descriptor: OwnedFD

    /// Opens the file.
    ///
    /// - Throws: `SystemError`; `ENOENT` when the cgroup is gone, or has no such file.
    public init(_ path: String) throws(SystemError) { descriptor = try Cgroup2.open(path) }

    /// Reads the numbers by their names.
    ///
    /// - Throws: `SystemError`; `ENODEV` when the cgroup is gone.
    public func values() throws(SystemError) -> [String: Int] {
      var text = [UInt8](repeating: 0, count: 4096)
      let count = try retrying("pread") { pread(descriptor.raw, &text, text.count, 0) }
      return Cgroup2.values(String(decoding: text[..<count], as: UTF8.self))
    }
  }

  static func values(_ text: String) -> [String: Int] {
    let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
    let pairs = lines.compactMap { line in line.count == 2 ? Int(line[1]).map { (String(line[0]), $0) } : nil }
    return Dictionary(pairs) { first, _ in first }
  }

  private static func names(in path: String) throws(SystemError) -> [String] {
    String(decoding: try readFile(path, limit: 4096), as: UTF8.self).split(whereSeparator: \.isWhitespace).map(
      String.init)
  }
}
