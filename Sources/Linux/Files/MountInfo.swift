import CLinux

/// One line of /proc/PID/mountinfo, with the fields that the daemon needs (proc_pid_mountinfo(5)).
public struct MountEntry: Equatable, Sendable {
  /// The directory of the file system that is mounted: `/`, or the source of a bind mount.
  public var root: String
  /// The mount point, as the process sees it.
  public var target: String
  /// The options of the mount: `rw`, `nosuid`, …
  public var options: [String]
  /// `shared:N`, `master:N`, …; empty when private.
  public var propagation: [String]
  /// The type of the file system: `ext4`, `cgroup2`.
  public var type: String
  /// The device, or whatever the file system names as its source.
  public var source: String

  /// Reads a line; nil when it is malformed.
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
  }

  /// Undoes the kernel's escapes: it writes space, tab, newline and backslash as `\` and three octal digits.
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
  /// Reads the text of a mountinfo, and skips malformed lines.
  public static func parse(_ text: String) -> [MountEntry] {
    text.split(separator: "\n").compactMap { MountEntry(line: $0) }
  }

  /// Reads a mountinfo file.
  ///
  /// - Throws: `SystemError` when the file cannot be read.
  public static func read(_ path: String = "/proc/self/mountinfo") throws(SystemError) -> [MountEntry] {
    parse(String(decoding: try readFile(path, limit: 16 << 20), as: UTF8.self))
  }
}

/// Whether something is mounted on `path`, without a look at the table of all mounts. A symbolic link is not followed.
public func isMountPoint(_ path: String) -> Bool { linux_is_mount_point(path) == 1 }
