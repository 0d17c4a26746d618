import Foundation
import Glibc

/// A host for tests: trixie with systemd as PID 1, in a container in the world's network namespace and cgroup.
///
/// It sees only cgroup 2 at /sys/fs/cgroup, whatever this machine mounts. The programs and units of this source tree are installed, the
/// world's `config` is `/etc/dormouse`, and the programs of tests are in `/usr/local/libexec`.
final class Host {
  private let world: World
  private let child: Child
  private let leader: Int32

  /// Boots the host and waits until it is ready. `binds` are further read-only bind mounts, as `SOURCE:DESTINATION`.
  init(in world: World, units: [String: String] = [:], binds: [String] = []) throws {
    let readiness = try NotifySocket(world.directory + "/host-notify")
    let runtime = try Self.swiftRuntime()
    // A container must not load modules, and this one has the capability. An empty unit file masks the unit.
    let units = units.merging(["systemd-modules-load.service": ""]) { given, _ in given }
    let own = [
      "\(Built.dormoused):/usr/local/sbin/dormoused",
      "\(Built.dormouse):/usr/local/bin/dormouse",
      "\(Built.directory)/dormouse-ask:/usr/local/sbin/dormouse-ask",
      "\(Built.source)/units/dormouse@.service:/usr/local/lib/systemd/system/dormouse@.service",
      "\(Built.source)/units/dormouse.service:/usr/local/lib/systemd/system/dormouse.service",
      "\(runtime):\(runtime)",
      "\(world.config):/etc/dormouse",
      "\(try Payload.directory()):/usr/local/libexec",
      "\(try world.writeUnits(units)):/etc/systemd/system",
    ]
    let child = try world.start(
      Self.cgroup2Alone(world)
        + [
          "systemd-nspawn", "--quiet", "--boot", "--notify-ready=yes", "--register=no", "--keep-unit",
          "--link-journal=no", "--console=read-only", "--volatile=overlay", "--machine=\(world.name)",
          "--directory=\(try Payload.image("host"))", "--capability=all", "--private-users=no",
          "--system-call-filter=bpf @mount @keyring @privileged @module @raw-io @debug perf_event_open",
        ] + (own + binds).map { "--bind-ro=\($0)" },
      environment: [
        "NOTIFY_SOCKET": readiness.path, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1", "SYSTEMD_NSPAWN_USE_CGNS": "1",
      ], in: "host", log: world.directory + "/host")
    let notified = try readiness.waitUntilReady(child)
    guard let leader = notified["X_NSPAWN_LEADER_PID"].flatMap({ Int32($0) }) else {
      throw Trouble("systemd-nspawn did not report PID 1 of the host")
    }
    self.world = world
    self.child = child
    self.leader = leader
  }

  /// The console output of the host.
  var console: String { text(of: world.directory + "/host.out") }

  /// Runs a command on the host.
  func run(_ arguments: String...) throws -> Outcome { try run(arguments) }

  func run(_ arguments: [String]) throws -> Outcome {
    try world.run(["nsenter", "--target", "\(leader)", "--all"] + arguments)
  }

  /// Starts a command on the host.
  func start(_ arguments: String...) throws -> Child {
    try world.start(["nsenter", "--target", "\(leader)", "--all"] + arguments)
  }

  /// The path on this machine of a file of the host.
  func path(_ path: String) -> String { "/proc/\(leader)/root\(path)" }

  /// Runs a command on the host, which must succeed, and returns its output.
  @discardableResult
  func require(_ arguments: String...) throws -> String {
    let outcome = try world.run(["nsenter", "--target", "\(leader)", "--all"] + arguments)
    guard outcome.succeeded else {
      throw Trouble("\(arguments.joined(separator: " ")): \(outcome.status): \(outcome.errors)\(outcome.output)")
    }
    return outcome.output
  }

  /// The value of a property of a unit.
  func show(_ unit: String, _ property: String) throws -> String {
    try require("systemctl", "show", "--value", "--property=\(property)", unit)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// A command prefix that creates a mount namespace with cgroup 2 at /sys/fs/cgroup, which newer versions of systemd require. The mounts
  /// of the machine are not changed.
  private static func cgroup2Alone(_ world: World) throws -> [String] {
    [
      "unshare", "--mount", "--propagation=private", "sh", "-c",
      """
      umount --lazy "$0" && mkdir "$1/cgroup2" && mount -t cgroup2 none "$1/cgroup2" &&
        mount --move "$1/cgroup2" /sys/fs/cgroup && shift && exec "$@"
      """, try Cgroups.root(), world.directory,
    ]
  }

  /// The directory of the Swift runtime with which the programs are linked.
  private static func swiftRuntime() throws -> String {
    let libraries = try GuestTests.require("ldd", Built.dormoused).split(separator: "\n")
    let core = libraries.first { $0.contains("libswiftCore.so") }
    guard let path = core?.split(separator: " ").first(where: { $0.hasPrefix("/") }) else {
      throw Trouble("dormoused is not linked with libswiftCore.so")
    }
    return String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
  }
}
