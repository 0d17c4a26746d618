import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("A guest's virtual Ethernet")
struct VirtualEthernetTests {
  @Test(
    "a virtual Ethernet pair is host0 in the guest and ve-NAME on the host, and sockets and idleness are unaffected",
    arguments: ["no", "pick"])
  func ends(users: String) throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001",
        settings: "IdleStopSec=1s\n[Exec]\nPrivateUsers=\(users)\n[Network]\nVirtualEthernet=yes")
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("hello") == "hello")
      let guest = try world.interfaces(of: world.leader(of: "echo"))
      #expect(guest.map(\.ifname).sorted() == ["host0", "lo"])
      #expect(guest.first { $0.ifname == "host0" }?.kind == "veth")
      #expect(guest.first { $0.ifname == "lo" }?.isUp == true)
      let host = try #require(try world.interface("ve-echo"))
      #expect(host.kind == "veth")
      #expect(host.isUp)
      client.close()
      try daemon.waitForLog("stopped (")
      try world.wait("echo", .inactive)
      #expect(try world.interface("ve-echo") == nil)
      #expect(names(in: world.runtime).filter { $0.hasPrefix("echo.net") } == [])
    }
  }

  @Test("a user of a guest who is not root may ping, with a user namespace and a network of the guest's own")
  func ping() throws {
    try World.with { world in
      try world.addTiny("echo", settings: "[Exec]\nPrivateUsers=pick\n[Network]\nPrivate=yes")
      try world.startDaemon()
      try world.wake("echo")
      let pid = try world.leader(of: "echo")
      let ping = """
        import socket
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
        s.sendto(bytes([8, 0, 0, 0, 0, 0, 0, 1]), ("127.0.0.1", 0))
        print("answer", s.recv(64)[0])
        """
      let outcome = try world.run(
        "nsenter", "--target=\(pid)", "--user", "--net", "--setuid=1000", "--setgid=1000", "python3", "-c", ping)
      #expect(outcome.output == "answer 0\n", "\(outcome.errors)")
    }
  }

  @Test("a virtual Ethernet pair has the same hardware addresses at each start, unlike those of another guest")
  func addresses() throws {
    try World.with { world in
      let long = "a-guest-whose-name-is-a-long-one"
      for name in ["a", long] { try world.addTiny(name, settings: "[Network]\nVirtualEthernet=yes") }
      try world.startDaemon()
      var seen: [String: Set<String>] = [:]
      for _ in 0..<2 {
        for name in ["a", long] {
          try world.wake(name)
          // A name that is too long is shortened.
          let whole = "ve-" + name
          let host = try #require(try world.interfaces().first { ([$0.ifname] + ($0.altnames ?? [])).contains(whole) })
          #expect(host.ifname.hasPrefix(whole.prefix(11)))
          let guest = try world.interfaces(of: world.leader(of: name)).first { $0.ifname == "host0" }
          seen[name, default: []].formUnion([host.address, guest?.address].compactMap { $0 })
          try world.sleep(name)
        }
      }
      #expect(seen.values.map(\.count) == [2, 2])
      #expect(seen.values.reduce(Set()) { $0.union($1) }.count == 4)
    }
  }

  @Test("each virtual Ethernet pair of VirtualEthernetExtra= has its two names", arguments: ["no", "pick"])
  func extra(users: String) throws {
    try World.with { world in
      let network = "VirtualEthernetExtra=ve-db:db0\nVirtualEthernetExtra=ve-log"
      let pid = try world.wakeTiny("echo", network: network, users: users)
      #expect(try world.interfaces(of: pid).map(\.ifname).sorted() == ["db0", "lo", "ve-log"])
      #expect(try world.interface("ve-db")?.isUp == true)
      #expect(try world.interface("ve-log")?.isUp == true)
      try world.sleep("echo")
      #expect(try world.interfaces().map(\.ifname) == ["lo"])
    }
  }

  @Test("the host end of a virtual Ethernet pair joins an existing bridge as vb-NAME", arguments: ["no", "pick"])
  func bridge(users: String) throws {
    try World.with { world in
      try world.ip("link add br0 type bridge")
      let pid = try world.wakeTiny("echo", network: "Bridge=br0", users: users)
      #expect(try world.interfaces(of: pid).map(\.ifname).sorted() == ["host0", "lo"])
      #expect(try world.interface("vb-echo")?.master == "br0")
      try world.sleep("echo")
      #expect(try world.interfaces().map(\.ifname).sorted() == ["br0", "lo"])
    }
  }

  @Test(
    "two guests of a zone reach each other, and its bridge is created for the first and removed with the last",
    arguments: ["no", "pick"])
  func zone(users: String) throws {
    try World.with { world in
      for name in ["a", "b"] {
        try world.addTiny(name, settings: "[Exec]\nPrivateUsers=\(users)\n[Network]\nZone=office")
      }
      try world.startDaemon()
      for (name, address) in [("a", "10.7.0.1/24"), ("b", "10.7.0.2/24")] {
        try world.wake(name)
        try world.inNetwork(of: world.leader(of: name), "ip", "address", "add", address, "dev", "host0")
        try world.inNetwork(of: world.leader(of: name), "ip", "link", "set", "host0", "up")
        #expect(try world.interface("vb-" + name)?.master == "vz-office")
      }
      let bridge = try #require(try world.interface("vz-office"))
      #expect(bridge.kind == "bridge")
      #expect(bridge.isUp)
      try world.serve(in: world.leader(of: "b"), at: "10.7.0.2:80")
      #expect(try world.ask("10.7.0.2", 80, "hello", from: world.leader(of: "a")) == "hello")
      try world.sleep("a")
      #expect(try world.interface("vz-office") != nil)
      try world.sleep("b")
      #expect(try world.interfaces().map(\.ifname) == ["lo"])
    }
  }

  @Test("a MACVLAN interface is created in the guest on top of an interface of the host", arguments: ["no", "pick"])
  func macvlan(users: String) throws {
    try World.with { world in
      try world.ip("link add eth0 type veth peer name wire")
      let pid = try world.wakeTiny("echo", network: "MACVLAN=eth0 eth0:second", users: users)
      let made = try world.interfaces(of: pid).filter { $0.kind == "macvlan" }
      #expect(made.map(\.ifname).sorted() == ["mv-eth0", "second"])
      #expect(Set(made.map(\.address)).count == 2)
      try world.sleep("echo")
      #expect(try world.interfaces().map(\.ifname).sorted() == ["eth0", "lo", "wire"])
    }
  }

  @Test("an IPVLAN interface is created, or the start fails because the kernel has none", arguments: ["no", "pick"])
  func ipvlan(users: String) throws {
    try World.with { world in
      try world.ip("link add eth0 type veth peer name wire")
      try world.addTiny("echo", settings: "[Exec]\nPrivateUsers=\(users)\n[Network]\nIPVLAN=eth0")
      let daemon = try world.startDaemon()
      if try world.dormouse("wake", "echo").succeeded {
        let made = try world.interfaces(of: world.leader(of: "echo"))
        #expect(made.contains { $0.ifname == "iv-eth0" && $0.kind == "ipvlan" })
      } else {
        #expect(daemon.log.contains("an IPVLAN interface on eth0 (Unknown device type): Operation not supported"))
      }
    }
  }

  @Test("a guest uses the network namespace of NamespacePath=, which stays unchanged", arguments: ["no", "pick"])
  func namespacePath(users: String) throws {
    try World.with { world in
      // `ip netns add` created the network namespace of the world.
      let other = world.name + "-blue"
      try require("ip", "netns", "add", other)
      defer { _ = try? require("ip", "netns", "del", other) }
      try require("ip", "-n", other, "link", "add", "br7", "type", "bridge")
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001",
        settings: "[Exec]\nPrivateUsers=\(users)\n[Network]\nNamespacePath=/run/netns/\(other)")
      try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("read /sys/class/net/br7/operstate") == "down")
      #expect(try world.interfaces(of: world.leader(of: "echo")).map(\.ifname).sorted() == ["br7", "lo"])
      try world.sleep("echo")
      #expect(try require("ip", "-n", other, "link").contains("br7"))
    }
  }
}
