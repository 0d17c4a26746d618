/// One line of /proc/PID/mountinfo, the fields that are of use (proc_pid_mountinfo(5)).
public struct MountEntry: Equatable, Sendable {
  /// What of the file system is mounted: `/`, or the directory that was bound.
  public var root: String
  /// Where it is mounted, as the process sees it.
  public var target: String
  /// Options of the mount: `rw`, `nosuid`, …
  public var options: [String]
  /// `shared:N`, `master:N`, …; empty when private.
  public var propagation: [String]
  /// The file system's: `ext4`, `cgroup2`.
  public var type: String
  /// A device, or what the file system calls its source.
  public var source: String
  /// Options of the file system.
  public var fileSystemOptions: [String]

  /// Nil when `line` is not of that form.
  init?(line: Substring) {
    let fields = line.split(separator: " ").map(String.init)
    guard fields.count >= 9, let dash = fields.dropFirst(6).firstIndex(of: "-"), fields.count > dash + 3 else {
      return nil
    }
    root = Self.unescaped(fields[3])
    target = Self.unescaped(fields[4])
    options = fields[5].split(separator: ",").map(String.init)
    propagation = Array(fields[6..<dash])
    type = fields[dash + 1]
    source = Self.unescaped(fields[dash + 2])
    fileSystemOptions = fields[dash + 3].split(separator: ",").map(String.init)
  }

  /// The kernel writes space, tab, newline and backslash as `\` and three octal digits.
  private static func unescaped(_ text: String) -> String {
    if !text.utf8.contains(UInt8(ascii: "\\")) { return text }
    var result: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      if byte == UInt8(ascii: "\\"), digits.count == 3,
        let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
      {
        result.append(value)
        rest = rest.dropFirst(3)
      } else {
        result.append(byte)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}

/// The mounts of a process.
public enum MountInfo {
  /// Reads a whole mountinfo; lines that are not of its form are left out.
  public static func parse(_ text: String) -> [MountEntry] {
    text.split(separator: "\n").compactMap { MountEntry(line: $0) }
  }

  /// - Throws: `SystemError` when the file cannot be read.
  public static func read(_ path: String = "/proc/self/mountinfo") throws(SystemError) -> [MountEntry] {
    parse(String(decoding: try readFile(path, limit: 16 << 20), as: UTF8.self))
  }
}
