import Glibc
import GuestSpec
import Linux
import UnitSyntax

/// A guest with a network of its own, whose sockets this host cannot keep from reaching the host's network.
enum ConfinementCheck: GuestCheck {
  static func problems(of subject: CheckedGuest) -> [Diagnostic] {
    // Only a process with the daemon's rights can try what the daemon does.
    guard geteuid() == 0 else { return [] }
    return problems(of: subject) { kind in
      switch kind {
      case .internet: internetObstacle
      case .unixDatagrams: unixDatagramObstacle
      }
    }
  }

  // Each is tried once for all guests, because that takes a process and loads BPF programs. Nil also when it is not known.
  private static let internetObstacle = try? SocketConfinement.obstacle(.internet)
  private static let unixDatagramObstacle = try? SocketConfinement.obstacle(.unixDatagrams)

  /// Finds the kinds of the guest's sockets that cannot be confined.
  ///
  /// - Parameters:
  ///   - subject: the guest.
  ///   - obstacle: why sockets of a kind cannot be confined; nil when they can, or when that is not known.
  /// - Returns: a problem for each kind.
  static func problems(
    of subject: CheckedGuest, obstacle: (SocketConfinement.Kind) -> SystemError?
  ) -> [Diagnostic] {
    guard subject.guest.network.isOfItsOwn else { return [] }
    let kinds = Set(subject.guest.sockets.flatMap(\.listen).compactMap(\.escape))
    if kinds.isEmpty { return [] }
    let internet = obstacle(.internet)
    // Without a cgroup for the test nothing is known of the kernel: the daemon may have one.
    if let internet, !internet.call.hasPrefix("bpf") { return [] }
    let isHeldBySystemd = HostSocketUnitCheck.isThere(for: subject.guest.name, subject.hostUnits)
    return kinds.sorted { $0.rawValue < $1.rawValue }.compactMap { kind in
      switch kind {
      case .connections:
        internet.map { problem(of: subject, "TCP and UDP sockets (\($0))", Self.rights) }
      case .datagrams where isHeldBySystemd:
        problem(
          of: subject, "datagram sockets of AF_UNIX that dormouse@\(subject.guest.name).socket holds",
          "use ListenSequentialPacket= instead of ListenDatagram=")
      case .datagrams:
        (internet ?? obstacle(.unixDatagrams)).map {
          let remedy = "use Linux 6.7 or later, or ListenSequentialPacket= instead of ListenDatagram="
          return problem(of: subject, "datagram sockets of AF_UNIX (\($0))", remedy)
        }
      }
    }
  }

  private static let rights =
    "give dormoused CAP_BPF and CAP_NET_ADMIN, and use a kernel with CONFIG_BPF_SYSCALL and CONFIG_CGROUP_BPF"

  private static func problem(of subject: CheckedGuest, _ sockets: String, _ remedy: String) -> Diagnostic {
    subject.problem(
      .warning, "Network", "Private",
      "the guest has a network of its own, but this host cannot confine \(sockets), so root of the guest can reach the "
        + "host's network through those of [Socket]; \(remedy)")
  }
}
