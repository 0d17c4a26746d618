import Testing
import UnitSyntax

@testable import GuestSpec

@Suite("[Network]")
struct NetworkSettingsTests {
  @Test("every setting of [Network] is read")
  func whole() {
    let reading = read(
      guest: """
        [Network]
        VirtualEthernet=yes
        VirtualEthernetExtra=ve-db:db0
        VirtualEthernetExtra=ve-log
        Interface=eth1 eth2:lan
        MACVLAN=eth0 wlan0:mobile
        IPVLAN=eth0
        Zone=office
        Port=8080:80
        Port=udp:53
        """)
    #expect(reading.diagnostics.isEmpty)
    let network = reading.guest.network
    #expect(network.hasVirtualEthernet)
    #expect(network.isPrivate)
    #expect(network.extraLinks == [.init(host: "ve-db", guest: "db0"), .init(host: "ve-log", guest: "ve-log")])
    #expect(network.interfaces == [.init(host: "eth1", guest: "eth1"), .init(host: "eth2", guest: "lan")])
    #expect(network.macvlans == [.init(host: "eth0", guest: "mv-eth0"), .init(host: "wlan0", guest: "mobile")])
    #expect(network.ipvlans == [.init(host: "eth0", guest: "iv-eth0")])
    #expect(network.zone == "office")
    #expect(network.ports == [.init(.tcp, host: 8080, guest: 80), .init(.udp, host: 53, guest: 53)])
    #expect(network.ports.map(\.description) == ["tcp:8080:80", "udp:53:53"])
  }

  @Test(
    "a setting of [Network] implies a network of the guest's own where systemd.nspawn(5) says so",
    arguments: [
      ("Private=yes", true, false), ("VirtualEthernet=yes", true, true), ("VirtualEthernetExtra=a", true, false),
      ("Interface=eth1", true, false), ("MACVLAN=eth0", true, false), ("IPVLAN=eth0", true, false),
      ("Bridge=br0", true, true), ("Zone=office", true, true), ("NamespacePath=/run/netns/blue", false, false),
      ("Bridge=br0\nPrivate=no\nVirtualEthernet=no", true, true), ("Private=no", false, false),
      ("VirtualEthernet=yes\nVirtualEthernet=", false, false),
    ])
  func implied(text: String, isPrivate: Bool, hasVirtualEthernet: Bool) {
    let reading = read(guest: "[Network]\n" + text)
    #expect(reading.diagnostics.isEmpty)
    #expect(reading.guest.network.isPrivate == isPrivate)
    #expect(reading.guest.network.hasVirtualEthernet == hasVirtualEthernet)
  }

  @Test(
    "the message for contradicting settings of [Network] names the remedy",
    arguments: [
      ("Bridge=br0\nZone=office", "3: Zone=: a guest can join only one bridge; remove Bridge= or Zone="),
      (
        "NamespacePath=/run/netns/blue\nPrivate=yes",
        "2: NamespacePath=: an existing namespace is not configured by Dormouse; remove this or the other settings"
      ),
      (
        "Port=80",
        "2: Port=: a guest in the host's network uses the host's ports; add VirtualEthernet=yes"
      ),
      (
        "Private=yes\nPort=80\nPort=80:8080",
        "4: Port=: the port tcp:80 of the host is forwarded twice; remove one of the lines"
      ),
      (
        "VirtualEthernet=yes\nInterface=eth1:host0",
        "0: two interfaces of the guest would be named host0; rename one of them"
      ),
    ])
  func contradictions(text: String, message: String) {
    let expected = message.hasPrefix("0:") ? "web.guest" + message.dropFirst(1) : "web.guest:" + message
    #expect(read(guest: "[Network]\n" + text).diagnostics.map(\.description) == [expected])
  }

  @Test("the same port number of TCP and UDP may be forwarded twice")
  func protocols() {
    #expect(read(guest: "[Network]\nPrivate=yes\nPort=tcp:53\nPort=udp:53").diagnostics.isEmpty)
  }

  @Test(
    "an interface name is refused when the kernel would refuse it or it is ambiguous",
    arguments: [
      "eth0": true, "ve-0123456789ab": true, "ve-0123456789abc": false, "": false, ".": false, "..": false,
      "a/b": false, "a:b": false, "a b": false, "eth%d": false, "12": false, "1a": true, "all": false, "default": false,
      "ö": false,
    ])
  func interfaceNames(name: String, isOne: Bool) { #expect(isInterfaceName(name) == isOne) }

  @Test(
    "an invalid value of [Network] is an error",
    arguments: [
      "Zone=office-of-the-boss", "VirtualEthernetExtra=a:b:c", "VirtualEthernetExtra=a:", "Interface=eth0 1",
      "Port=0", "Port=65536", "Port=http", "Port=sctp:80", "Port=80:", "Port=tcp", "Port=1:2:3", "Bridge=a b",
      "NamespacePath=blue",
    ])
  func wrong(text: String) {
    #expect(read(guest: "[Network]\nPrivate=yes\n" + text).diagnostics.map(\.severity) == [.error])
  }
}
