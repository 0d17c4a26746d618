import Foundation
import Glibc
import Linux
import Testing

/// The network namespace, the cgroup and the directory of one test, with everything that it starts.
///
/// `World.with` removes them, also when the test fails: it kills all processes in the cgroup, and removes the namespace, the cgroup and the
/// directory. The next test process removes what a killed one left.
final class World {
  let name: String
  /// The directory of the test: `config/`, `runtime/`, roots of guests, logs.
  let directory: String
  /// The directory of the test's cgroup.
  let cgroup: String
  private(set) var children: [Child] = []
  private(set) var daemon: Daemon?
  private var commands = 0

  var config: String { directory + "/config" }
  var runtime: String { directory + "/runtime" }

  /// Creates a world for `body` and removes it afterwards. An error of `body` is rethrown with the log of the daemon.
  static func with(_ body: (World) throws -> Void) throws {
    let world = try World()
    defer { world.tearDown() }
    do {
      try body(world)
    } catch {
      throw Trouble("\(error)\n--- the daemon's log ---\n\(world.daemon?.log ?? "(no daemon)")")
    }
  }

  private init() throws {
    _ = Self.swept
    // The name is short because paths of sockets begin with it, and unique among the worlds of a test process.
    name = "dmt-\(getpid())-\(String(UInt32.random(in: 0..<60_000_000), radix: 36))"
    directory = "/tmp/\(name)"
    cgroup = try Cgroups.root() + "/" + name
    // Closed to others, because root of a guest can leave set-user-ID programs in its root.
    for (path, mode) in [(directory, mode_t(0o700)), (cgroup, 0o755)] {
      try retrying("mkdir \(path)") { mkdir(path, mode) }
    }
    for path in [directory + "/config", directory + "/runtime"] {
      try retrying("mkdir \(path)") { mkdir(path, 0o755) }
    }
    try require("ip", "netns", "add", name)
    try require("ip", "-n", name, "link", "set", "lo", "up")
  }

  // MARK: Running commands

  /// Starts a command in the network namespace and the cgroup of the world, or in `cgroup` below that.
  func start(
    _ arguments: [String], environment: [String: String] = [:], in group: String = "", log: String? = nil
  ) throws -> Child {
    let place = group.isEmpty ? cgroup : cgroup + "/" + group
    mkdir(place, 0o755)
    let log = log ?? nextLog()
    // Each program executes the next, so the process ID becomes that of the command.
    let enter = [
      "nsenter", "--net=/run/netns/\(name)", "sh", "-c", "echo $$ >\"$0/cgroup.procs\" && exec \"$@\"", place,
    ]
    let variables = Self.plainEnvironment.merging(environment) { _, new in new }
    let child = try Child(
      enter + arguments, environment: variables, output: log + ".out", errors: log + ".err")
    children.append(child)
    return child
  }

  /// Runs a command in the world to its end.
  func run(_ arguments: String..., seconds: Double = deadline) throws -> Outcome {
    try run(arguments, seconds: seconds)
  }

  func run(_ arguments: [String], seconds: Double = deadline) throws -> Outcome {
    let log = nextLog()
    let child = try start(arguments, log: log)
    guard let ending = child.wait(seconds: seconds) else {
      throw Trouble("\(arguments.joined(separator: " ")) did not end within \(seconds) s")
    }
    return Outcome(ending: ending, output: text(of: log + ".out"), errors: text(of: log + ".err"))
  }

  /// Starts `dormoused` and waits for its READY=1.
  ///
  /// `starter` is a command that executes the arguments after it.
  @discardableResult
  func startDaemon(
    _ arguments: [String] = [], environment: [String: String] = [:], under starter: [String] = []
  ) throws -> Daemon {
    let daemon = try Daemon(in: self, arguments: arguments, environment: environment, under: starter)
    self.daemon = daemon
    try daemon.waitUntilReady()
    return daemon
  }

  // MARK: The end

  private func tearDown() {
    // `swift test --attachments-path DIR` keeps the logs of failed tests.
    if let daemon { Attachment.record(daemon.log, named: "\(name).log") }
    // Processes that are not in the cgroup yet would prevent its removal.
    for child in children { child.signal(SIGKILL) }
    for child in children { _ = child.wait() }
    // On a host with systemd guests are in scopes, outside of the world's cgroup, and would be orphans of the next daemon there.
    for record in names(in: runtime) where record.hasSuffix(".cgroup") {
      let base = text(of: "\(runtime)/\(record)").split(separator: "\n").first ?? ""
      Cgroups.end("\(base)/\(record.dropLast(".cgroup".count)).guest")
    }
    Cgroups.end(cgroup)
    children = []
    _ = try? command(["ip", "netns", "del", name])
    Self.remove(directory)
  }

  /// Removes what a killed daemon leaves outside of the world's directory: mounts of exported sockets, and scratch directories.
  private static func remove(_ directory: String) {
    let runtime = directory + "/runtime"
    for note in names(in: runtime) where note.hasSuffix(".scratch") || note.hasSuffix(".discarded") {
      _ = try? command(["rm", "-rf", "--one-file-system", text(of: "\(runtime)/\(note)")])
    }
    for mount in (try? MountInfo.read()) ?? [] where mount.target.hasPrefix(directory + "/") {
      _ = try? command(["umount", "--lazy", mount.target])
    }
    _ = try? command(["rm", "-rf", "--one-file-system", directory])
  }

  private func nextLog() -> String {
    commands += 1
    return "\(directory)/command-\(commands)"
  }

  private static let plainEnvironment = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]

  /// Removes, once in each test process, the worlds of test processes that were killed.
  private static let swept: Void = {
    guard let root = try? Cgroups.root() else { return }
    let orphans = Set(names(in: root) + names(in: "/run/netns") + names(in: "/tmp"))
    for name in orphans where name.hasPrefix("dmt-") {
      let parts = name.split(separator: "-")
      guard parts.count == 3, let owner = Int32(parts[1]), kill(owner, 0) != 0 else { continue }
      Cgroups.end(root + "/" + name)
      _ = try? command(["ip", "netns", "del", name])
      remove("/tmp/" + name)
    }
  }()
}

/// The contents of a file, or an empty text.
func text(of path: String) -> String {
  String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
}

/// The names in a directory, or none if it cannot be read.
func names(in path: String) -> [String] {
  (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
}

/// Runs a command of the machine outside of any world.
func command(_ arguments: [String], seconds: Double = 600) throws -> Outcome {
  let log = "/tmp/dmt-\(getpid())-\(UInt32.random(in: 0 ... .max))"
  defer { for end in [".out", ".err"] { unlink(log + end) } }
  let variables = ProcessInfo.processInfo.environment
  let child = try Child(arguments, environment: variables, output: log + ".out", errors: log + ".err")
  guard let ending = child.wait(seconds: seconds) else { throw Trouble("\(arguments) did not end") }
  return Outcome(ending: ending, output: text(of: log + ".out"), errors: text(of: log + ".err"))
}

/// Runs a command of the machine, which must succeed, and returns its output.
@discardableResult
func require(_ arguments: String...) throws -> String {
  let outcome = try command(arguments)
  guard outcome.succeeded else { throw Trouble("\(arguments.joined(separator: " ")): \(outcome.errors)") }
  return outcome.output
}
