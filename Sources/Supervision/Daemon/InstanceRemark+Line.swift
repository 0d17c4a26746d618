import Systemd

// How the log words what a backend reports of an instance.
extension InstanceRemark {
  var line: LogLine {
    switch self {
    case .noDevicePolicy:
      LogLine(
        .noDevicePolicy, .warning,
        "no device policy: this kernel lacks BPF for cgroup 2; root in the guest can open the host's devices")
    case .unmet(let settings, let controller, let reason):
      LogLine(
        .unmet, .warning,
        "no effect: \(settings): no cgroup controller \(controller) for guests: "
          + (reason ?? "this kernel has none, or not all of it"),
        [.setting(settings), .controller(controller), reason.map(LogField.reason)])
    case .notCarriedOut(let what): LogLine(.notCarriedOut, .warning, what, [.reason(what)])
    case .sameMachineID(let other):
      LogLine(
        .sameMachineID, .warning,
        "guest \(other) runs with the same machine ID; using another one. Empty /etc/machine-id in a copied root",
        [.otherGuest(other)])
    case .forwarding(let addresses):
      LogLine(
        .forwarding, .info,
        addresses.isEmpty
          ? "the guest has no address, Port= forwards nothing"
          : "Port= forwards to \(addresses.joined(separator: " and "))",
        addresses.map(LogField.address))
    case .cannotForward(let error):
      LogLine(.cannotForward, .warning, "Port= cannot forward to the guest: \(error)", [.error(error)])
    case .notFromLoopback(let error):
      LogLine(
        .notFromLoopback, .warning, "Port= cannot forward connections from the host's 127.0.0.1: \(error)",
        [.error(error)])
    case .noScope(let reason):
      LogLine(
        .noScope, .warning,
        "no scope of its own, so it runs in the unit of dormoused, and is unknown to systemd-machined: \(reason)",
        [.reason(reason)])
    case .notRegistered(let reason):
      LogLine(.notRegistered, .info, "cannot register with systemd-machined: \(reason)", [.reason(reason)])
    case .cannotEnd(let error):
      LogLine(.cannotEnd, .error, "cannot stop, watch or clean up the instance: \(error)", [.error(error)])
    }
  }
}
