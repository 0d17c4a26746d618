import ControlProtocol
import Foundation
import Glibc
import Linux

extension Daemon {
  /// The numbers of the daemon's open descriptors.
  var descriptors: Set<Int> { Set(names(in: "/proc/\(pid)/fd").compactMap(Int.init)) }

  /// Lets the daemon open exactly `count` more descriptors. RLIMIT_NOFILE limits the numbers, and new descriptors get the lowest free one.
  func leaveDescriptors(_ count: Int) throws {
    // Descriptors that are open only for a moment must not be counted; there are none while the daemon waits for events.
    try until("the daemon is idle while its descriptors are counted") {
      let before = schedulings
      guard before.isAsleep else { return false }
      try require("prlimit", "--pid", "\(pid)", "--nofile=\(limit(leaving: count)):")
      return schedulings == before
    }
  }

  /// Returns when the daemon has been waiting for events for a while.
  func waitUntilItSleeps() throws {
    try until("the daemon sleeps") {
      let before = schedulings
      usleep(200_000)
      return before.isAsleep && schedulings == before
    }
  }

  /// Whether the daemon sleeps, and the number of its context switches.
  private var schedulings: (isAsleep: Bool, switches: [Substring]) {
    let lines = text(of: "/proc/\(pid)/status").split(separator: "\n")
    return (
      lines.contains { $0.hasPrefix("State:\tS") }, lines.filter { $0.contains("ctxt_switches:") }
    )
  }

  /// The limit that leaves no descriptor is the lowest free number.
  private func limit(leaving count: Int) -> Int {
    let open = descriptors
    var limit = 0
    var left = count
    while left > 0 || open.contains(limit) {
      if !open.contains(limit) { left -= 1 }
      limit += 1
    }
    return limit
  }

  /// Removes the limit.
  func leaveDescriptorsEnough() throws { try require("prlimit", "--pid", "\(pid)", "--nofile=4096:") }

  /// Waits until the log contains `text` `count` times.
  func waitForLog(_ text: String, times count: Int) throws {
    try until("the log contains \"\(text)\" \(count) times") { log.ranges(of: text).count >= count }
  }
}

extension World {
  /// The cgroups of all instances of a guest, below the cgroup of the daemon.
  func cgroups(of guest: String) -> [String] { instances(of: guest, with: ".guest", in: cgroup) }

  /// The records of all instances of a guest.
  func records(of guest: String) -> [String] { instances(of: guest, with: ".cgroup", in: runtime) }

  /// The cgroup of the newest instance of a guest, or of its first one if it was never started. It is in a scope, if the host's service
  /// manager is systemd; the instance's record says where.
  func cgroup(of guest: String) -> String {
    let base = text(of: record(of: guest)).split(separator: "\n").first.map(String.init) ?? cgroup
    return "\(base)/\(instance(of: guest)).guest"
  }

  /// The record of the newest instance of a guest.
  func record(of guest: String) -> String { "\(runtime)/\(instance(of: guest)).cgroup" }

  /// The name of the newest instance of a guest, whose number the daemon stores in a file.
  func instance(of guest: String) -> String {
    let number = text(of: "\(runtime)/\(guest).number").split(separator: "\n").first
    return "\(guest).\(number ?? "1")"
  }

  /// The files `NAME.NUMBER` with `suffix` in `directory`, for all instances of a guest.
  func instances(of guest: String, with suffix: String, in directory: String) -> [String] {
    names(in: directory).filter { name in
      name.hasPrefix(guest + ".") && name.hasSuffix(suffix)
        && UInt32(name.dropFirst(guest.count + 1).dropLast(suffix.count)) != nil
    }.map { "\(directory)/\($0)" }
  }

  /// The root of a guest that `addTiny` added.
  func root(of guest: String) -> String { "\(directory)/root-\(guest)" }

  /// Listens at an address of this world in place of the daemon, until the value is destroyed.
  func occupy(_ address: String) throws -> Occupation {
    Occupation(
      owning: OwnedFD(
        owning: try inside {
          var address = try Address(address)
          let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
          let fd = OwnedFD(owning: try retrying("socket") { socket(address.family, type, 0) })
          try retrying("bind") { address.withPointer { bind(fd.raw, $0, $1) } }
          try retrying("listen") { listen(fd.raw, 1) }
          return fd.release()
        }))
  }

  /// Starts a process in a cgroup below the world's, and waits until it is there.
  func startStranger(in group: String) throws -> Child {
    let stranger = try start(["sleep", "1000"], in: group)
    try eventually("a process is in \(group)") {
      Cgroups.processes(below: "\(cgroup)/\(group)").contains(stranger.pid)
    }
    return stranger
  }

  /// The process ID on the host of PID 1 of a guest.
  func leader(of guest: String) throws -> Int32 {
    guard let pid = try summary(guest).pid else { throw Trouble("\(guest) is not running") }
    return pid
  }
}

/// A socket that belongs to another program.
final class Occupation {
  private let socket: OwnedFD

  init(owning socket: consuming OwnedFD) { self.socket = socket }
}

/// A mount on `target` that lasts until the value is destroyed.
final class TestMount {
  private let target: String

  init(_ arguments: String..., on target: String) throws {
    let outcome = try command(["mount"] + arguments + [target])
    guard outcome.succeeded else { throw Trouble("mount on \(target): \(outcome.errors)") }
    self.target = target
  }

  deinit { _ = try? command(["umount", "--lazy", target]) }
}

/// Fills a file system until the value is destroyed.
final class Filler {
  private var paths: [String] = []

  /// Uses all blocks.
  init(blocksOf directory: String) {
    paths = [directory + "/filler"]
    let file = open(paths[0], O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(file) }
    let block = [UInt8](repeating: 1, count: 4096)
    while write(file, block, block.count) > 0 {}
  }

  /// Uses all inodes but `left`.
  init(inodesOf directory: String, left: Int = 0) {
    while true {
      let path = "\(directory)/filler\(paths.count)"
      let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
      if file < 0 { break }
      close(file)
      paths.append(path)
    }
    for _ in 0..<min(left, paths.count) { unlink(paths.removeLast()) }
  }

  deinit { for path in paths { unlink(path) } }
}

/// Injects faults into system calls of a process, mostly the daemon, by strace, until `end`.
final class Injection {
  private let strace: Child
  private let path: String

  /// Attaches strace with an option `inject=` of strace(1), and waits for it; `file` selects the calls on one file. With `threads` it also
  /// follows the threads and processes that the process makes.
  init(
    _ fault: String, at file: String? = nil, into process: Int32, threads: Bool = false, of world: World
  ) throws {
    let path = "\(world.directory)/strace"
    let call = fault.split(separator: ":")[0]
    self.path = path
    strace = try world.start(
      ["strace", "-o", path] + (threads ? ["-f"] : []) + (file.map { ["-P", $0] } ?? [])
        + ["-e", "trace=\(call)", "-e", "inject=\(fault)", "-p", "\(process)"], log: path)
    try eventually("strace is attached") { text(of: path + ".err").contains("attached") }
  }

  /// The traced calls until now, with the faults that were injected.
  var log: String { text(of: path) }

  func end() {
    strace.signal(SIGINT)
    _ = strace.wait()
  }
}
