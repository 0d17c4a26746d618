import GuestSpec

/// The rules of the packet filter by which ports of the host lead to a guest, in the language of nft(8): a table of the guest's own,
/// which is set as a whole and removed as a whole.
public struct PortRules: Equatable, Sendable {
  /// Those of `Port=`.
  public var ports: [ForwardedPort]
  /// Where the guest is reached by IPv4; nil: not.
  public var ipv4: String?
  /// Where it is reached by IPv6, without brackets; nil: not.
  public var ipv6: String?
  /// `NetworkPlan.hostEnd`: only through that can the guest be reached by the host's 127.0.0.1.
  public var hostEnd: String?

  public init(_ ports: [ForwardedPort], ipv4: String?, ipv6: String?, hostEnd: String?) {
    self.ports = ports
    self.ipv4 = ipv4
    self.ipv6 = ipv6
    self.hostEnd = hostEnd
  }

  /// The family and the name of the table that is the guest's.
  public static func table(of guest: String) -> String { "inet dormouse-\(guest)" }

  /// Removes the table of `guest`, if there is one.
  public static func removal(of guest: String) -> String {
    "add table \(table(of: guest))\ndelete table \(table(of: guest))\n"
  }

  /// Sets the table of `guest`, in place of the one there may be.
  public func text(of guest: String) -> String {
    // Whatever comes in, and whatever the host itself sends, for one of the host's own addresses.
    var chains = [
      chain("incoming", "nat hook prerouting priority dstnat", leading),
      // The name dstnat means nothing here to the nft of older distributions.
      chain("outgoing", "nat hook output priority -100", leading),
    ]
    if let hostEnd {
      // The guest answers to the host's address on this link, since 127.0.0.1 is the guest's own.
      if let ipv4 {
        let masked = "oifname \"\(hostEnd)\" ip saddr 127.0.0.0/8 ip daddr \(ipv4) masquerade"
        chains.append(chain("leaving", "nat hook postrouting priority srcnat", [masked]))
      }
      // With route_localnet the guest could reach what listens on the host's 127.0.0.1 only. Before the answers of its own are
      // given their destination back, which happens at priority -200.
      chains.append(
        chain(
          "guard", "filter hook prerouting priority raw",
          ["daddr", "saddr"].map { "iifname \"\(hostEnd)\" ip \($0) 127.0.0.0/8 drop" }))
    }
    return Self.removal(of: guest) + "table \(Self.table(of: guest)) {\n" + chains.joined() + "}\n"
  }

  private var leading: [String] {
    ports.flatMap { port in
      let match = "fib daddr type local \(port.transport.rawValue) dport \(port.hostPort)"
      let v4 = ipv4.map { "meta nfproto ipv4 \(match) dnat ip to \($0):\(port.guestPort)" }
      let v6 = ipv6.map { "meta nfproto ipv6 \(match) dnat ip6 to [\($0)]:\(port.guestPort)" }
      return [v4, v6].compactMap { $0 }
    }
  }

  private func chain(_ name: String, _ hook: String, _ rules: [String]) -> String {
    let lines = ["type \(hook);"] + rules
    return "  chain \(name) {\n" + lines.map { "    \($0)\n" }.joined() + "  }\n"
  }
}
