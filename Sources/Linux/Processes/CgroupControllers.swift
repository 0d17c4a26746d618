import CLinux
import Glibc

// Controllers, and to whom a cgroup is given: cgroups(7).
extension Cgroup2 {
  /// The controllers that can be had in a cgroup; none on a hybrid host, where cgroup 1 has them.
  ///
  /// - Throws: `SystemError`; `ENOENT` when it is gone.
  public static func controllers(of directory: String) throws(SystemError) -> [String] {
    try names(in: directory + "/cgroup.controllers")
  }

  /// The controllers that the cgroups below a cgroup have.
  ///
  /// - Throws: `SystemError`; `ENOENT` when it is gone.
  public static func controllers(below directory: String) throws(SystemError) -> [String] {
    try names(in: directory + "/cgroup.subtree_control")
  }

  /// Gives the cgroups below `directory` those of the `controllers` that can be had there; what cannot be had is left out.
  ///
  /// - Throws: `SystemError`; `ENOENT` when the cgroup is gone, `EBUSY` when processes are in it itself.
  public static func enable(_ controllers: [String], in directory: String) throws(SystemError) {
    if controllers.isEmpty { return }
    let path = directory + "/cgroup.subtree_control"
    let file = try open(path, O_WRONLY)
    // One by one, because one that is refused would take the others with it.
    for controller in controllers {
      do throws(SystemError) {
        try write("+\(controller)", to: file, path)
      } catch {
        if error.errno != ENOENT && error.errno != EINVAL { throw error }
      }
    }
  }

  /// Whether the service manager has given the cgroup away (`Delegate=`), which it marks by an extended attribute (since systemd 248);
  /// nil: it has no mark.
  public static func isDelegated(_ directory: String) -> Bool? {
    // The second is for a manager without rights in the first user namespace.
    for name in ["trusted.delegate", "user.delegate"] {
      var value = [UInt8](repeating: 0, count: 8)
      if getxattr(directory, name, &value, value.count) > 0 { return value[0] == UInt8(ascii: "1") }
    }
    return nil
  }

  /// The files of a cgroup that go with it when it is given to another user.
  public static var delegatedFiles: [String] {
    (try? names(in: "/sys/kernel/cgroup/delegate")) ?? ["cgroup.procs", "cgroup.threads", "cgroup.subtree_control"]
  }

  /// An open file of lines `NAME NUMBER`, such as memory.events or cpu.stat.
  public final class Counters {
    /// Of memory.events and its like: polls as POLLPRI when something may have changed, until `values()` has read it.
    public let descriptor: OwnedFD

    /// - Throws: `SystemError`; `ENOENT` when the cgroup is gone, or has no such file.
    public init(_ path: String) throws(SystemError) { descriptor = try Cgroup2.open(path) }

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
