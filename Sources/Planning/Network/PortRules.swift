import GuestSpec

/// The rules of the packet filter that forward ports of the host to a guest, in the language of nft(8). They are in a table of the guest's
/// own, which is replaced and removed as a whole.
public struct PortRules: Equatable, Sendable {
  /// The ports of `Port=`.
  public var ports: [ForwardedPort]
  /// The guest's IPv4 address; nil: none.
  public var ipv4: String?
  /// The guest's IPv6 address, without brackets; nil: none.
  public var ipv6: String?
  /// `NetworkPlan.hostEnd`: the host's 127.0.0.1 can be forwarded through this interface only.
  public var hostEnd: String?
  /// The interfaces of the host by which the guest is reached: the ends of its links, and the bridges that they are ports of.
  public var ways: [String]

  public init(_ ports: [ForwardedPort], ipv4: String? = nil, ipv6: String? = nil, hostEnd: String?, ways: [String]) {
    self.ports = ports
    self.ipv4 = ipv4
    self.ipv6 = ipv6
    self.hostEnd = hostEnd
    self.ways = ways
  }

  /// The family and the name of the guest's table.
  public static func table(of guest: String) -> String { "inet dormouse-\(guest)" }

  /// Removes the table of `guest`, if there is one.
  public static func removal(of guest: String) -> String {
    "add table \(table(of: guest))\ndelete table \(table(of: guest))\n"
  }

  /// Replaces the table of `guest`, or makes it.
  public func text(of guest: String) -> String {
    // Packets to the host's own addresses, from outside and from the host itself.
    var chains = [
      chain("incoming", "nat hook prerouting priority dstnat", forwarding),
      // In an output chain the nft of older distributions does not know the name dstnat.
      chain("outgoing", "nat hook output priority -100", forwarding),
    ]
    if let hostEnd {
      // The guest would answer 127.0.0.1 to itself, so the source becomes the host's address on this link.
      if let ipv4 {
        let masked = "oifname \"\(hostEnd)\" ip saddr 127.0.0.0/8 ip daddr \(ipv4) masquerade"
        chains.append(chain("leaving", "nat hook postrouting priority srcnat", [masked]))
      }
      // With route_localnet the guest could reach services that listen on the host's 127.0.0.1. The rules are before priority -200, at
      // which connection tracking restores the destination of the guest's answers.
      chains.append(
        chain(
          "guard", "filter hook prerouting priority raw",
          ["daddr", "saddr"].map { "iifname \"\(hostEnd)\" ip \($0) 127.0.0.0/8 drop" }))
    }
    // The guest may claim any address, and the host's routes may change, so forwarded packets that would leave by another interface are
    // dropped.
    chains.append(chain("kept", "filter hook postrouting priority 0", keeping))
    return Self.removal(of: guest) + "table \(Self.table(of: guest)) {\n" + chains.joined() + "}\n"
  }

  private var forwarding: [String] {
    ports.flatMap { port in
      let match = "fib daddr type local \(port.transport.rawValue) dport \(port.hostPort)"
      let v4 = ipv4.map { "meta nfproto ipv4 \(match) dnat ip to \($0):\(port.guestPort)" }
      let v6 = ipv6.map { "meta nfproto ipv6 \(match) dnat ip6 to [\($0)]:\(port.guestPort)" }
      return [v4, v6].compactMap { $0 }
    }
  }

  private var keeping: [String] {
    let elsewhere = "oifname != { \(ways.map { "\"\($0)\"" }.joined(separator: ", ")) } drop"
    return ports.flatMap { port in
      let forwarded =
        "ct status dnat ct direction original meta l4proto \(port.transport.rawValue) ct original proto-dst \(port.hostPort)"
      let v4 = ipv4.map { "ip daddr \($0) \(forwarded) \(elsewhere)" }
      let v6 = ipv6.map { "ip6 daddr \($0) \(forwarded) \(elsewhere)" }
      return [v4, v6].compactMap { $0 }
    }
  }

  private func chain(_ name: String, _ hook: String, _ rules: [String]) -> String {
    let lines = ["type \(hook);"] + rules
    return "  chain \(name) {\n" + lines.map { "    \($0)\n" }.joined() + "  }\n"
  }
}
