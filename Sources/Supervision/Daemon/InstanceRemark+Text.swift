import Systemd

// How the log words what a backend reports of an instance.
extension InstanceRemark {
  var priority: Journal.Priority {
    switch self {
    case .cannotEnd: .error
    case .noDevicePolicy, .unmet, .notCarriedOut, .usersOfHost, .sameMachineID, .cannotForward, .notFromLoopback:
      .warning
    case .forwarding, .notRegistered: .info
    }
  }

  var text: String {
    switch self {
    case .noDevicePolicy:
      "the kernel offers no device policy here (BPF for cgroup 2): its root can make and open device nodes of this host"
    case .unmet(let settings, let controller, let reason):
      "without effect: \(settings): there is no controller \(controller) for guests: "
        + (reason ?? "this kernel has none, or not all of it")
    case .notCarriedOut(let what): what
    case .usersOfHost(let reason): "its users are this host's, root is root: \(reason)"
    case .sameMachineID(let other):
      "guest \(other), which runs, has its machine id: it is told another one; a copied root wants an empty /etc/machine-id"
    case .forwarding(let addresses) where addresses.isEmpty: "it has no address any more: Port= forwards nothing"
    case .forwarding(let addresses): "Port= forwards to \(addresses.joined(separator: " and "))"
    case .cannotForward(let error): "Port= cannot forward to it: \(error)"
    case .notFromLoopback(let error): "Port= cannot forward to it from this host's 127.0.0.1: \(error)"
    case .notRegistered(let reason): "machinectl does not know it: \(reason)"
    case .cannotEnd(let error): "cannot end it, watch it or clear up after it: \(error)"
    }
  }
}
