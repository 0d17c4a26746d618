import GuestSpec
import Testing

@testable import Planning

@Suite("The plan of a guest's network")
struct NetworkPlanTests {
  private static let host = "3d1219c7c4c5404aaa1f6d2a48adfda4"

  private func plan(_ name: String = "web", _ change: (inout NetworkSettings) -> Void) -> NetworkPlan {
    var settings = NetworkSettings()
    change(&settings)
    return NetworkPlan(settings, of: name, on: Self.host)
  }

  /// `NAME ADDRESS` of each end, the host's first.
  private func ends(_ plan: NetworkPlan) -> [String] {
    plan.links.flatMap { link in
      switch link {
      case .virtualEthernet(let host, let guest, _): [host, guest].map { "\($0.name.name) \($0.address)" }
      case .macvlan(let parent, let guest): ["\(parent) \(guest.name.name)"]
      case .ipvlan(let parent, let guest): ["\(parent) \(guest.name)"]
      case .interface(let host, let guest): ["\(host) \(guest)"]
      }
    }
  }

  @Test(
    "interfaces have the names and addresses that systemd-nspawn gives them on the same host",
    arguments: [
      (
        "web",
        [
          "ve-web de:33:ab:0b:45:44", "host0 fe:38:c6:95:1d:f9", "x0 b6:79:e7:37:bd:1f", "x1 6e:be:12:05:d1:6e",
          "y0 fa:57:91:69:b7:da", "y0 36:c4:4e:68:bf:31",
        ]
      ),
      (
        "a-guest-with-a-long-name",
        [
          "ve-a-guest-V3eJ c2:9c:92:4d:56:d7", "host0 7a:1d:f2:d7:0c:98", "x0 56:9f:6a:8d:41:34",
          "x1 ce:41:f6:0f:12:a6", "y0 26:b7:6f:b7:c2:96", "y0 0a:cf:b2:b0:6d:a1",
        ]
      ),
    ])
  func asNspawn(name: String, expected: [String]) {
    // Taken from systemd-nspawn 252 --network-veth --network-veth-extra=x0:x1 --network-veth-extra=y0.
    let plan = plan(name) { network in
      network.hasVirtualEthernet = true
      network.extraLinks = [InterfacePair(host: "x0", guest: "x1"), InterfacePair(host: "y0", guest: "y0")]
    }
    #expect(ends(plan) == expected)
  }

  @Test("the namespace of NamespacePath= is entered, and nothing in it is changed")
  func namespacePath() throws {
    let changed = try planned { guest, _ in guest.network.namespacePath = "/run/netns/blue" }
    let expected = "+ enter (Namespace.network, slot: network)"
    #expect(changes(from: try planned(), to: changed).joined(separator: "\n") == expected)
    #expect(changed.network == .at(path: "/run/netns/blue"))
    #expect(changed.preloaded == [.terminals, .network])
  }

  @Test("an interface name that is too long becomes the alternative name of the interface")
  func alternative() {
    #expect(InterfaceName(fitting: "ve-a-guest-with-a-long-name").alternative == "ve-a-guest-with-a-long-name")
    #expect(InterfaceName(fitting: "ve-123456789012").alternative == nil)
    #expect(InterfaceName(fitting: "ve-1234567890123").name.utf8.count == 15)
    #expect(InterfaceName(fitting: String(repeating: "a", count: 128)).alternative == nil)
  }

  @Test("with a bridge or a zone the host's end of a veth pair joins the bridge, and has another prefix")
  func bridges() {
    func bridge(_ plan: NetworkPlan) -> NetworkPlan.Bridge? {
      guard case .virtualEthernet(let host, _, let bridge) = plan.links.first else { return nil }
      #expect(host.name.name == "vb-web")
      #expect(plan.hostEnd == nil)
      return bridge
    }
    #expect(bridge(plan { $0.bridge = "br0" }) == .existing("br0"))
    #expect(bridge(plan { $0.zone = "office" }) == .zone("vz-office"))
    #expect(plan { $0.hasVirtualEthernet = true }.hostEnd == "ve-web")
  }

  @Test("interfaces of the host are moved or built upon, and each MACVLAN has an address of its own")
  func others() {
    let eth = InterfacePair(host: "eth0", guest: "mv-eth0")
    let plan = plan { network in
      network.interfaces = [InterfacePair(host: "eth1", guest: "lan")]
      network.macvlans = [eth, InterfacePair(host: "eth0", guest: "second")]
      network.ipvlans = [InterfacePair(host: "eth0", guest: "iv-eth0")]
    }
    #expect(ends(plan) == ["eth1 lan", "eth0 mv-eth0", "eth0 second", "eth0 iv-eth0"])
    let addresses = plan.links.compactMap { link in
      if case .macvlan(_, let guest) = link { guest.address } else { nil }
    }
    #expect(Set(addresses).count == 2)
    #expect(addresses.allSatisfy { $0.bytes.count == 6 && $0.bytes[0] & 3 == 2 })
  }

  @Test("hardware addresses differ by host, guest and use")
  func addresses() {
    let uses: [MACAddress.Use] = [.hostEnd, .guestEnd, .extraHostEnd, .extraGuestEnd, .macvlan]
    var all: [MACAddress] = []
    for name in ["web", "web2"] {
      for host in [Self.host, String(Self.host.reversed())] {
        for use in uses { all += (0...2).map { MACAddress(of: name, on: host, use, number: $0) } }
      }
    }
    #expect(Set(all).count == all.count)
    #expect(MACAddress(of: "web", on: Self.host, .guestEnd) == MACAddress(of: "web", on: Self.host, .guestEnd))
  }

  @Test("SipHash-2-4 returns the test vectors of its authors")
  func sipHash() {
    let key = SipHash24.Key(0x0001_0203_0405_0607, 0x0809_0a0b_0c0d_0e0f)
    #expect(SipHash24.hash([], key: key) == 0x726f_db47_dd0e_0e31)
    #expect(SipHash24.hash((0..<15).map { UInt8($0) }, key: key) == 0xa129_ca61_49be_45e5)
  }

  @Test("what Port= forwards may leave only by the guest's own link and the bridge that it is a port of")
  func kept() {
    let rules = PortRules(
      [ForwardedPort(.tcp, host: 8080, guest: 80), ForwardedPort(.udp, host: 53, guest: 53)], ipv4: "10.8.0.2",
      ipv6: "fd08::2",
      hostEnd: nil, ways: ["vb-web", "vz-office"])
    let elsewhere = "oifname != { \"vb-web\", \"vz-office\" } drop"
    let lines = rules.text(of: "web").split(separator: "\n").map { String($0.drop { $0 == " " }) }
    #expect(
      Array(lines.drop { !$0.hasPrefix("chain kept") }) == [
        "chain kept {", "type filter hook postrouting priority 0;",
        "ip daddr 10.8.0.2 ct status dnat ct direction original meta l4proto tcp ct original proto-dst 8080 \(elsewhere)",
        "ip6 daddr fd08::2 ct status dnat ct direction original meta l4proto tcp ct original proto-dst 8080 \(elsewhere)",
        "ip daddr 10.8.0.2 ct status dnat ct direction original meta l4proto udp ct original proto-dst 53 \(elsewhere)",
        "ip6 daddr fd08::2 ct status dnat ct direction original meta l4proto udp ct original proto-dst 53 \(elsewhere)",
        "}", "}",
      ])
  }
}
