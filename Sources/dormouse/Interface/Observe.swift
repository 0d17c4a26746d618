import ControlProtocol
import Interface
import Linux

/// Observes a running guest from outside: /proc, its root through /proc/PID/root, and its cgroup.
struct Observer {
  let status: GuestStatus
  /// The process that the Container Interface calls process 1.
  let guest: ProcessFacts
  /// The daemon that runs the guest.
  let daemon: ProcessFacts
  /// The runtime directory of that daemon.
  let runtime: String

  /// The process ID of the guest's payload: `pid`, which is process 1, or with ProcessTwo= the first child of the small init.
  static func payload(of pid: Int32) -> Int32 {
    guard let program = try? readLink("/proc/\(pid)/exe"), program.hasPrefix("/memfd:dormouse-init"),
      let children = try? readFile("/proc/\(pid)/task/\(pid)/children", limit: 1 << 16)
    else { return pid }
    return Int32(text(children).prefix { $0 != " " }) ?? pid
  }

  /// Observes the guest.
  ///
  /// - Parameter others: all guests of the daemon.
  /// - Returns: the facts for the rows of the Container Interface.
  /// - Throws: `SystemError`; `ENOENT` when the guest stops meanwhile.
  func observe(others: [GuestSummary]) throws(SystemError) -> Observation {
    var seen = Observation(name: status.name)
    seen.process.status = fields(try guest.text("status"), separator: ":")
    seen.process.environment = try guest.environment()
    seen.process.arguments = try guest.text("cmdline").split(separator: "\0").dropFirst().map(String.init)
    seen.process.ownNamespaces = try guest.namespaces(unlike: daemon)
    seen.process.userMap = Self.ranges(try guest.text("uid_map"))
    seen.process.hostname = try guest.hostname()
    seen.mounts = try Self.mounts(of: "/proc/\(guest.pid)/mountinfo")
    seen.hostMounts = try Self.mounts(of: "/proc/\(daemon.pid)/mountinfo")
    seen.interfaces = Self.interfaces(try guest.text("net/dev"))
    for path in Observation.paths { seen.files[path] = file(path) }
    seen.systemd = systemdVersion(inRoot: root)
    seen.consoleIsHeld = terminalIsHeld("/dev/console", inRoot: root)
    seen.heldTerminals = Set(seen.terminals.filter { terminalIsHeld("/dev/" + $0, inRoot: root) })
    try observeCgroups(&seen)
    seen.host = host
    seen.daemon = daemonFacts(others)
    return seen
  }

  private var root: String { "/proc/\(guest.pid)/root" }

  private func file(_ path: String) -> File? {
    guard let found = try? FileInRoot(path, inRoot: root, limit: 4096) else { return nil }
    var file = File(found.kind.observed, mode: found.mode, owner: found.owner, isReadOnly: found.isReadOnly)
    (file.major, file.minor, file.link) = (found.device.major, found.device.minor, found.link)
    file.names = Set(found.names)
    if found.kind == .regular { file.text = (try? readFile(path, inRoot: root, limit: 1 << 16)).map { text($0) } }
    return file
  }

  private func observeCgroups(_ seen: inout Observation) throws(SystemError) {
    seen.cgroups.guest = Self.cgroup(try guest.text("cgroup"))
    let own = Self.cgroup(try daemon.text("cgroup"))
    let supervisor = "/supervisor"
    seen.cgroups.unit =
      Self.scope(of: status.name, in: seen.cgroups.guest)
      ?? (own.hasSuffix(supervisor) ? String(own.dropLast(supervisor.count)) : own)
    let mount = try MountInfo.read().last { $0.type == "cgroup2" && $0.root == "/" }?.target ?? "/sys/fs/cgroup"
    let directory = mount + seen.cgroups.guest
    // systemd as process 1 is in init.scope, which is next to the cgroups of its services.
    let top = directory.hasSuffix("/init.scope") ? String(directory.dropLast(11)) : directory
    let below = (try? Cgroup2.tree(top)) ?? []
    seen.cgroups.below = Set(below.compactMap { $0.split(separator: "/").last.map(String.init) })
    seen.cgroups.isDelegated = Cgroup2.isDelegated(mount + seen.cgroups.unit)
    if let opened = try? Cgroup2.open(directory) {
      seen.cgroups.devicePrograms = try? Cgroup2.devicePrograms(of: opened)
    }
  }

  /// The cgroup of the guest's scope; nil when it has none.
  private static func scope(of guest: String, in cgroup: String) -> String? {
    let parts = cgroup.split(separator: "/")
    guard let end = parts.firstIndex(where: { $0.hasPrefix("dormouse-\(guest).") && $0.hasSuffix(".scope") }) else {
      return nil
    }
    return "/" + parts[...end].joined(separator: "/")
  }

  private var host: Observation.Host {
    var host = Observation.Host()
    let release =
      (try? readFile("/etc/os-release", limit: 1 << 16)) ?? (try? readFile("/usr/lib/os-release", limit: 1 << 16))
    host.osRelease = text(release ?? [])
    let zones = "/usr/share/zoneinfo/"
    host.timezone = (try? readLink("/etc/localtime")).flatMap { link in
      let path = link.hasPrefix("../") ? "/" + link.dropFirst(3) : link
      return path.hasPrefix(zones) ? String(path.dropFirst(zones.count)) : nil
    }
    host.journals = (try? directoryEntries("/var/log/journal")).map { Set($0) }
    host.hasSELinux = (try? FileStatus("/sys/fs/selinux/policyvers", followingLinks: true)) != nil
    host.interfaces = Self.interfaces((try? daemon.text("net/dev")) ?? "")
    host.machines = machines
    host.exportsSockets = (try? directoryEntries("\(runtime)/unix-export/\(status.name)")) != nil
    return host
  }

  /// The state files of systemd-machined; nil where D-Bus cannot start machined.
  private var machines: [String: [String: String]]? {
    for file in ["/run/dbus/system_bus_socket", "/usr/share/dbus-1/system-services/org.freedesktop.machine1.service"]
    where (try? FileStatus(file, followingLinks: true)) == nil {
      return nil
    }
    let directory = "/run/systemd/machines"
    var machines: [String: [String: String]] = [:]
    for name in (try? directoryEntries(directory)) ?? [] where !name.contains(":") {
      machines[name] = (try? readFile("\(directory)/\(name)", limit: 1 << 16)).map { fields(text($0), separator: "=") }
    }
    return machines
  }

  private func daemonFacts(_ others: [GuestSummary]) -> Observation.Daemon {
    var facts = Observation.Daemon()
    facts.sockets = status.sockets.count
    facts.adopted = status.sockets.count { $0.adopted == true }
    facts.werePassed = status.sockets.contains { $0.passed }
    facts.isReady = status.report?.ready == true
    facts.lastStopWasKill = status.lastStop?.killed
    facts.otherUUIDs = others.compactMap { other in
      guard other.name != status.name, let pid = other.pid else { return nil }
      return (try? ProcessFacts(pid: pid).environment())?["container_uuid"]
    }
    return facts
  }
}

extension Observer {
  fileprivate static func mounts(of path: String) throws(SystemError) -> [Mount] {
    try MountInfo.read(path).map {
      Mount(root: $0.root, target: $0.target, type: $0.type, options: $0.options, propagation: $0.propagation)
    }
  }

  /// The path of the cgroup 2 line in /proc/PID/cgroup.
  fileprivate static func cgroup(_ text: String) -> String {
    let line = text.split(separator: "\n").first { $0.hasPrefix("0::") }
    return line.map { String($0.dropFirst(3)) } ?? ""
  }

  fileprivate static func ranges(_ text: String) -> [UserRange] {
    text.split(separator: "\n").compactMap { line in
      let numbers = line.split(separator: " ").compactMap { UInt64($0) }
      return numbers.count == 3 ? UserRange(inside: numbers[0], outside: numbers[1], count: numbers[2]) : nil
    }
  }

  /// The names of interfaces in /proc/PID/net/dev, below its two header lines.
  fileprivate static func interfaces(_ text: String) -> [String] {
    text.split(separator: "\n").dropFirst(2).compactMap { line in
      line.split(separator: ":").first.map { String($0.drop { $0 == " " }) }
    }
  }
}

/// Reads lines of a name, a separator and a value; white space before the value is ignored.
private func fields(_ text: String, separator: Character) -> [String: String] {
  var fields: [String: String] = [:]
  for line in text.split(separator: "\n") {
    guard let place = line.firstIndex(of: separator) else { continue }
    let value = line[line.index(after: place)...].drop { $0 == " " || $0 == "\t" }
    fields[String(line[..<place])] = String(value)
  }
  return fields
}

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

extension FileStatus.Kind {
  fileprivate var observed: File.Kind {
    switch self {
    case .regular: .regular
    case .directory: .directory
    case .symbolicLink: .link
    case .characterDevice: .character
    case .blockDevice: .block
    case .fifo: .fifo
    case .socket: .socket
    }
  }
}
