import Foundation
import Glibc
import Linux

/// Functions on the cgroup 2 tree for tests.
enum Cgroups {
  /// The directory on which cgroup 2 is mounted.
  static func root() throws -> String {
    for line in text(of: "/proc/self/mountinfo").split(separator: "\n") {
      let fields = line.split(separator: " ")
      // The type follows the dash that ends the optional fields.
      let type = fields.drop { $0 != "-" }.dropFirst().first
      if type == "cgroup2" { return String(fields[4]) }
    }
    throw Trouble("no cgroup 2 is mounted on this machine")
  }

  /// The process IDs in the cgroup `path` and below it.
  static func processes(below path: String) -> [Int32] {
    tree(path).flatMap { text(of: $0 + "/cgroup.procs").split(separator: "\n").compactMap { Int32($0) } }
  }

  /// The process ID of process 1 of a guest in the cgroup `path`, in which processes of its launch may still be.
  static func leader(below path: String) -> Int32? {
    processes(below: path).first { pid in
      text(of: "/proc/\(pid)/status").split(separator: "\n").contains { line in
        line.hasPrefix("NSpid:") && line.split(separator: "\t").last == "1"
      }
    }
  }

  /// Kills all processes in the cgroup `path` and removes it.
  static func end(_ path: String) {
    guard access(path, F_OK) == 0 else { return }
    try? "1".write(toFile: path + "/cgroup.kill", atomically: false, encoding: .utf8)
    waitUntilEmpty(path)
    for directory in tree(path) { rmdir(directory) }
  }

  /// Waits until no process is in the cgroup `path` or below it; returns false after `seconds`.
  @discardableResult
  static func waitUntilEmpty(_ path: String, seconds: Double = deadline) -> Bool {
    let raw = open(path + "/cgroup.events", O_RDONLY | O_CLOEXEC)
    guard raw >= 0 else { return true }
    let events = OwnedFD(owning: raw)
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
      var buffer = [UInt8](repeating: 0, count: 256)
      let count = pread(events.raw, &buffer, buffer.count, 0)
      // A cgroup that was removed meanwhile cannot be read.
      if count <= 0 || String(decoding: buffer[..<count], as: UTF8.self).contains("populated 0") { return true }
      var watched = pollfd(fd: events.raw, events: Int16(POLLPRI), revents: 0)
      poll(&watched, 1, 1000)
    }
    return false
  }

  /// The cgroup `path` and all below it, the deepest first.
  static func tree(_ path: String) -> [String] {
    let below = names(in: path).map { path + "/" + $0 }.filter { directory in
      var status = stat()
      return lstat(directory, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
    return below.flatMap(tree) + [path]
  }
}
