import Foundation
import Glibc
import Linux
import Testing

/// A network namespace, a cgroup and a directory of one test's own, with whatever it starts inside.
///
/// `World.with` tears it all down, also when the test fails: everything in the cgroup is killed, then namespace, cgroup and
/// directory go. What a killed test run left behind is swept by the next run.
final class World {
  let name: String
  /// The test's directory: `config/`, `runtime/`, guests' roots, logs.
  let directory: String
  /// The absolute directory of the test's cgroup 2.
  let cgroup: String
  private(set) var children: [Child] = []
  private(set) var daemon: Daemon?
  private var commands = 0

  var config: String { directory + "/config" }
  var runtime: String { directory + "/runtime" }

  /// Gives `body` a world and tears it down afterwards. An error thrown carries the daemon's log.
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
    // Short, because sockets' paths begin with it, and of so many that no two worlds of a run have the same.
    name = "dmt-\(getpid())-\(String(UInt32.random(in: 0..<60_000_000), radix: 36))"
    directory = "/tmp/\(name)"
    cgroup = try Cgroups.root() + "/" + name
    for path in [directory, cgroup] {
      try retrying("mkdir \(path)") { mkdir(path, 0o755) }
    }
    for path in [directory + "/config", directory + "/runtime"] {
      try retrying("mkdir \(path)") { mkdir(path, 0o755) }
    }
    try require("ip", "netns", "add", name)
    try require("ip", "-n", name, "link", "set", "lo", "up")
  }

  // MARK: Running things

  /// Starts a command inside the world: in its network namespace and its cgroup (or `cgroup` below it).
  func start(
    _ arguments: [String], environment: [String: String] = [:], in group: String = "", log: String? = nil
  ) throws -> Child {
    let place = group.isEmpty ? cgroup : cgroup + "/" + group
    mkdir(place, 0o755)
    let log = log ?? nextLog()
    // Each program execs the next, so the process ID stays that of the command.
    let enter = [
      "nsenter", "--net=/run/netns/\(name)", "sh", "-c", "echo $$ >\"$0/cgroup.procs\" && exec \"$@\"", place,
    ]
    let variables = Self.plainEnvironment.merging(environment) { _, new in new }
    let child = try Child(
      enter + arguments, environment: variables, output: log + ".out", errors: log + ".err")
    children.append(child)
    return child
  }

  /// Runs a command inside the world to its end.
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

  /// Starts `dormoused` and returns when it says READY=1.
  ///
  /// `starter` is a command that executes the one which follows it.
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
    // With `swift test --attachments-path DIR` the logs are there to be read after a failure.
    if let daemon { Attachment.record(daemon.log, named: "\(name).log") }
    // Those too that have not come into the cgroup yet, and would keep it.
    for child in children { child.signal(SIGKILL) }
    for child in children { _ = child.wait() }
    Cgroups.end(cgroup)
    children = []
    _ = try? command(["ip", "netns", "del", name])
    Self.remove(directory)
  }

  /// A daemon that was killed leaves its guests' exported sockets mounted, and notes of their scratch directories elsewhere.
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

  /// Once in a run: ends the worlds whose test process is gone.
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

/// The contents of a file, or nothing.
func text(of path: String) -> String {
  String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
}

/// The names in a directory, or none.
func names(in path: String) -> [String] {
  (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
}

/// Runs a tool of the host, outside any world.
func command(_ arguments: [String], seconds: Double = 600) throws -> Outcome {
  let log = "/tmp/dmt-\(getpid())-\(UInt32.random(in: 0 ... .max))"
  defer { for end in [".out", ".err"] { unlink(log + end) } }
  let variables = ProcessInfo.processInfo.environment
  let child = try Child(arguments, environment: variables, output: log + ".out", errors: log + ".err")
  guard let ending = child.wait(seconds: seconds) else { throw Trouble("\(arguments) did not end") }
  return Outcome(ending: ending, output: text(of: log + ".out"), errors: text(of: log + ".err"))
}

/// Runs a tool of the host that has to succeed, and returns what it printed.
@discardableResult
func require(_ arguments: String...) throws -> String {
  let outcome = try command(arguments)
  guard outcome.succeeded else { throw Trouble("\(arguments.joined(separator: " ")): \(outcome.errors)") }
  return outcome.output
}
