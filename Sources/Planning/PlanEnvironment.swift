import GuestSpec

/// The environment and the command line of PID 1: the part of the Container Interface that is not in the file system.
enum PlanEnvironment {
  static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

  /// The whole environment of PID 1, in this order. The variables of `[Exec] Environment=` come last, and replace those of the same name.
  static func variables(_ guest: Guest, _ facts: StartFacts) -> [EnvironmentVariable] {
    let account = guest.exec.process.user == nil ? .root : facts.account ?? .root
    var variables = [
      EnvironmentVariable("PATH", path),
      EnvironmentVariable("container", ContainerInterface.manager),
      EnvironmentVariable("container_uuid", ContainerInterface.dashed(facts.identity.machineID)),
      EnvironmentVariable("TERM", "dumb"),
      EnvironmentVariable("HOME", account.home),
      EnvironmentVariable("USER", account.name),
      EnvironmentVariable("LOGNAME", account.name),
    ]
    if let shell = account.shell { variables.append(EnvironmentVariable("SHELL", shell)) }
    let host = facts.host.osRelease
    let fields = [
      ("id", host.id), ("build_id", host.buildID), ("variant_id", host.variantID), ("version_id", host.versionID),
    ]
    for case (let name, let value?) in fields {
      variables.append(EnvironmentVariable("container_host_" + name, value))
    }
    if guest.policy.terminals > 0 {
      // The console is pts/0.
      let names = (1...guest.policy.terminals).map { "pts/\($0)" }
      variables.append(EnvironmentVariable("container_ttys", names.joined(separator: " ")))
    }
    if facts.hostSide.notifySocket != nil {
      variables.append(EnvironmentVariable("NOTIFY_SOCKET", ContainerInterface.notifySocket))
    }
    if facts.hostSide.mounts.contains(.credentials) {
      variables.append(EnvironmentVariable("CREDENTIALS_DIRECTORY", ContainerInterface.credentials))
    }
    if !facts.listenerNames.isEmpty {
      variables.append(EnvironmentVariable("LISTEN_FDS", String(facts.listenerNames.count)))
      variables.append(EnvironmentVariable("LISTEN_PID", guest.exec.processTwo ? "2" : "1"))
      variables.append(EnvironmentVariable("LISTEN_FDNAMES", facts.listenerNames.joined(separator: ":")))
    }
    for variable in guest.exec.environment {
      if let index = variables.firstIndex(where: { $0.name == variable.name }) {
        variables[index] = variable
      } else {
        variables.append(variable)
      }
    }
    return variables
  }

  /// The environment of the small init. Programs in the guest read PID 1's to detect a container.
  static func ofSmallInit(_ guest: Guest, _ facts: StartFacts) -> [EnvironmentVariable] {
    variables(guest, facts).filter { $0.name == "container" || $0.name == "container_uuid" }
  }

  /// The arguments, the zeroth included, and the step that executes the payload.
  ///
  /// `version` is that of systemd in the guest's root, if it is known.
  static func command(
    _ exec: ExecSettings, _ initSystem: InitSystem, version: Int?
  ) throws(PlanError) -> (arguments: [String], step: Step) {
    if exec.boot {
      var arguments = ["init"] + exec.parameters
      // Nobody answers at this console: systemd-firstboot would wait for ever. Another init could take the word for a runlevel.
      if initSystem == .systemd, !exec.parameters.contains(where: { $0.hasPrefix("systemd.firstboot") }) {
        // With `headless` it applies credentials, and asks nothing.
        arguments.append("systemd.firstboot=\((version ?? 0) >= 262 ? "headless" : "off")")
      }
      return (arguments, .execute(candidates: InitSystem.paths, namesItself: true))
    }
    guard let program = exec.parameters.first, !program.isEmpty else { throw .noCommand }
    let candidates = program.contains("/") ? [program] : path.split(separator: ":").map { "\($0)/\(program)" }
    return (exec.parameters, .execute(candidates: candidates, namesItself: false))
  }

  /// The stop signals, which stay pending until the guest's systemd reads them. The kernel drops a signal to PID 1 of a PID namespace that
  /// has no handler for it, unless the signal is blocked. They are blocked for systemd only: another init never unblocks them, and its
  /// children inherit the mask.
  static func blockedSignals(_ exec: ExecSettings, _ initSystem: InitSystem) -> [Signal] {
    guard exec.boot, initSystem == .systemd else { return [] }
    let asked = exec.effectiveKillSignal(initSystem)
    if case .realtime = asked, !Signal.stopsOfSystemd.contains(asked) { return Signal.stopsOfSystemd + [asked] }
    return Signal.stopsOfSystemd
  }
}

/// Fixed names and paths of systemd's Container Interface.
enum ContainerInterface {
  /// The value of `$container`.
  static let manager = "dormouse"
  static let notifySocket = "/run/host/notify"
  static let credentials = "/run/host/credentials"
  static let inaccessible = "/run/host/inaccessible"

  /// `0123…` as `01234567-89ab-cdef-0123-456789abcdef`.
  static func dashed(_ id: String) -> String {
    var result = ""
    for (index, digit) in id.enumerated() {
      if [8, 12, 16, 20].contains(index) { result.append("-") }
      result.append(digit)
    }
    return result
  }
}
