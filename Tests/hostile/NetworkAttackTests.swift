import CLinux
import Foundation
import Glibc
import Testing

/// What root in a guest does with its network, against the host's. The commands run in the guest's network namespace, as its root's would.
@Suite("Root in a guest with a network of its own")
struct NetworkAttackTests {
  /// A guest with Port=8080:80 and 10.8.0.2 behind the host's 10.8.0.1; a machine outside at 192.0.2.2; one inside at 10.8.8.2, which
  /// answers at its port 80 and is reached by nobody outside.
  private func start(_ world: World) throws -> (daemon: Daemon, guest: Int32, outside: Int32) {
    let guest = try world.wakeTiny("echo", network: "VirtualEthernet=yes\nPort=8080:80")
    let daemon = try #require(world.daemon)
    try world.ip("address add 10.8.0.1/24 dev ve-echo")
    try world.inNetwork(of: guest, "ip", "link", "set", "host0", "up")
    let outside = try machine(world, "192.0.2", "eth0")
    let inside = try machine(world, "10.8.8", "eth1")
    _ = try world.run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
    try world.serve(in: inside, at: "0.0.0.0:80")
    try world.inNetwork(of: inside, "ip", "address", "add", "10.8.0.2/32", "dev", "eth1")
    return (daemon, guest, outside)
  }

  /// Starts a machine of another network, whose default route is the host.
  private func machine(_ world: World, _ network: String, _ link: String) throws -> Int32 {
    let pid = try world.start(["unshare", "--net", "sleep", "1000"]).pid
    let own = try require("readlink", "/proc/\(try #require(world.daemon).pid)/ns/net")
    try eventually("the machine has a network") { try require("readlink", "/proc/\(pid)/ns/net") != own }
    try world.ip("link add \(link) type veth peer name \(link) netns \(pid)")
    try world.ip("address add \(network).1/24 dev \(link)")
    try world.ip("link set \(link) up")
    try world.inNetwork(of: pid, "ip", "address", "add", "\(network).2/24", "dev", link)
    try world.inNetwork(of: pid, "ip", "link", "set", link, "up")
    try world.inNetwork(of: pid, "ip", "route", "add", "default", "via", "\(network).1")
    return pid
  }

  private func isAnswered(_ world: World, from outside: Int32) throws -> Bool {
    let script = "exec 3<>/dev/tcp/192.0.2.1/8080 && echo hello >&3 && head --lines=1 <&3"
    return try world.run(["nsenter", "--net=/proc/\(outside)/ns/net", "timeout", "1", "bash", "-c", script]).succeeded
  }

  @Test("a guest that gives itself the address of another machine does not have Port= lead there")
  func lure() throws {
    try World.with { world in
      let (daemon, guest, outside) = try start(world)
      try world.inNetwork(of: guest, "ip", "address", "add", "10.8.8.2/32", "dev", "host0")
      try daemon.waitForLog("route to 10.8.8.2 does not lead to the guest's own link")
      #expect(try !world.run("nft", "list", "ruleset").output.contains("dnat"))
      #expect(try !isAnswered(world, from: outside))
      // Its own address is forwarded to, and the other one is still none.
      try world.inNetwork(of: guest, "ip", "address", "add", "10.8.0.2/24", "dev", "host0")
      try daemon.waitForLog("Port= forwards to 10.8.0.2")
      try world.inNetwork(of: guest, "ip", "route", "add", "default", "via", "10.8.0.1")
      try world.serve(in: guest, at: "10.8.0.2:80")
      #expect(try isAnswered(world, from: outside))
      #expect(!daemon.log.contains("forwards to 10.8.8.2"))
    }
  }

  @Test("what Port= forwards does not leave by another interface when the host's route to the guest's address changes")
  func reroute() throws {
    try World.with { world in
      let (daemon, guest, outside) = try start(world)
      try world.inNetwork(of: guest, "ip", "address", "add", "10.8.0.2/24", "dev", "host0")
      try daemon.waitForLog("Port= forwards to 10.8.0.2")
      try world.ip("route add 10.8.0.2/32 via 10.8.8.2 dev eth1")
      #expect(try !isAnswered(world, from: outside))
      // Without the rule the other machine would have answered, unless the daemon has seen by now where the route leads.
      #expect(try world.run("nft", "flush", "chain", "inet", "dormouse-echo", "kept").succeeded)
      try eventually("the other machine answers, or the daemon forwards no more") {
        try isAnswered(world, from: outside)
          || daemon.log.contains("route to 10.8.0.2 does not lead to the guest's own link")
      }
    }
  }

  @Test("a guest that changes its addresses without end has the rules of Port= changed once in a while only")
  func toggling() throws {
    try World.with { world in
      let guest = try world.wakeTiny("echo", network: "VirtualEthernet=yes\nPort=8080:80")
      let daemon = try #require(world.daemon)
      try world.ip("address add 10.8.0.1/16 dev ve-echo")
      let script = """
        ip link set host0 up
        for host in $(seq 2 101); do
          echo address add 10.8.1.$host/32 dev host0; echo address delete 10.8.1.$host/32 dev host0
        done >"$0"
        for round in 1 2 3 4 5; do ip -batch "$0"; done; ip address add 10.8.0.2/16 dev host0
        """
      _ = try world.inNetwork(of: guest, "sh", "-c", script, world.directory + "/batch")
      // It ends with the last address in force, whatever came in between.
      try daemon.waitForLog("Port= forwards to 10.8.0.2")
      let changes = daemon.log.split(separator: "\n").count { $0.contains("Port=") }
      #expect(changes <= 20, "\(changes) changes of rules")
      #expect(try world.run("nft", "list", "ruleset").output.contains("dnat ip to 10.8.0.2:80"))
    }
  }

  @Test("an interface that the guest puts in the place of the host's is not taken for the host's")
  func forged() throws {
    try World.with { world in
      try world.ip("link add eth1 type veth peer name eth1-wire")
      let guest = try world.wakeTiny("echo", network: "Interface=eth1:lan")
      let daemon = try #require(world.daemon)
      // Somebody else keeps the network namespace, so that the other end of a forged pair would live on.
      _ = try world.start(["nsenter", "--net=/proc/\(guest)/ns/net", "sleep", "1000"])
      let number = try index(of: "lan", world, guest)
      let address = try #require(try world.interfaces(of: guest).first { $0.ifname == "lan" }?.address)
      try world.inNetwork(of: guest, "ip", "link", "delete", "lan")
      try world.inNetwork(
        of: guest, "ip", "link", "add", "lan", "address", address, "index", number, "type", "veth", "peer", "name",
        "leg")
      try world.sleep("echo")
      try daemon.waitForLog("moving the interface eth1 back to the host (another has its place)")
      #expect(try world.interfaces().map(\.ifname) == ["lo"])
      #expect(names(in: world.runtime).filter { $0.hasPrefix("echo.net") } == [])
    }
  }

  @Test("a guest that leaves its network namespace before the next daemon adopts it cannot forge the host's interface")
  func leaves() throws {
    try World.with { world in
      try world.ip("link add eth1 type veth peer name eth1-wire")
      let own = try world.interface("eth1")?.address
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", settings: "[Exec]\nPrivateUsers=pick\n[Network]\nInterface=eth1:lan")
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("hello") == "hello")
      let guest = try world.leader(of: "echo")
      let number = try index(of: "lan", world, guest)
      let before = try require("readlink", "/proc/\(guest)/ns/net")
      #expect(try client.ask("call \(SystemCall.unshare) \(LINUX_CLONE_NEWNET)") == "0")
      #expect(try require("readlink", "/proc/\(guest)/ns/net") != before)
      try world.inNetwork(of: guest, "ip", "link", "add", "lan", "index", number, "type", "veth", "peer", "name", "leg")
      daemon.child.signal(SIGKILL)
      _ = daemon.child.wait()
      client.close()
      let next = try world.startDaemon()
      try next.until("the guest sleeps") { try world.summary("echo").state == .inactive }
      #expect(try world.interfaces().map(\.ifname).sorted() == ["eth1", "eth1-wire", "lo"])
      #expect(try world.interface("eth1")?.address == own)
    }
  }

  @Test("names that a guest gives to the host's interface do not keep it from coming home")
  func keptNames() throws {
    try World.with { world in
      try world.ip("link add eth1 type veth peer name eth1-wire")
      let guest = try world.wakeTiny("echo", network: "Interface=eth1:lan")
      for name in ["eth1-wire", "eth1", "a-name-of-more-than-fifteen-characters"] {
        try world.inNetwork(of: guest, "ip", "link", "property", "add", "dev", "lan", "altname", name)
      }
      try world.sleep("echo")
      #expect(try world.interfaces().map(\.ifname).sorted() == ["eth1", "eth1-wire", "lo"])
      #expect(try world.interface("eth1")?.altnames == nil)
    }
  }

  @Test("a guest with a network of its own cannot send to another than its client by a route in the packet")
  func sourceRoute() throws {
    try World.with { world in
      let root = try world.makeTinyRoot("bad")
      try copyProgram(try Payload.attack("route"), to: root + "/sbin/init")
      let sockets = "ListenStream=0.0.0.0:8001\nListenDatagram=0.0.0.0:8001\nListenDatagram=[::]:8002"
      try world.addTiny("bad", sockets, settings: "[Network]\nPrivate=yes")
      try world.startDaemon()
      let outside = try machine(world, "192.0.2", "eth0")
      try world.ip("address add fd00:2::1/64 dev eth0 nodad")
      try world.inNetwork(of: outside, "ip", "address", "add", "fd00:2::2/64", "dev", "eth0", "nodad")
      let counter = """
        table inet seen {
          chain way { type filter hook prerouting priority raw; meta l4proto { tcp, udp } counter; exthdr rt exists counter; }
        }
        """
      try world.inNetwork(of: outside, "nft", counter)
      let client = try world.connect("192.0.2.1:8001")
      try client.send("via 192.0.2.2")
      try eventually("the guest has answered by TCP") { try world.console("bad").contains("send by TCP") }
      #expect(try world.datagrams(to: "192.0.2.1:8001").askByDatagram("via 192.0.2.2").hasSuffix("via 192.0.2.2"))
      #expect(try world.datagrams(to: "[fd00:2::1]:8002").askByDatagram("via fd00:2::2").hasSuffix("via fd00:2::2"))
      func seen() throws -> [Substring] {
        try world.inNetwork(of: outside, "nft", "list", "ruleset").output.split(separator: "\n").filter {
          $0.contains("counter packets")
        }
      }
      let counters = try seen()
      #expect(counters.count == 2 && counters.allSatisfy { $0.contains("packets 0 ") }, "\(counters)")
      let console = try world.console("bad")
      #expect(console.contains("set a route of IPv6: done"), "\(console)")
      #expect(console.contains("send by IPv6: Operation not permitted"), "\(console)")
      // It would have been counted.
      _ = try world.run("bash", "-c", "echo x >/dev/udp/192.0.2.2/9")
      try eventually("a datagram is counted") { try !seen().allSatisfy { $0.contains("packets 0 ") } }
    }
  }

  @Test(
    "a guest that says that it is a router gives the host neither a route nor an address",
    arguments: ["VirtualEthernet=yes", "Zone=wild"])
  func router(setting: String) throws {
    try World.with { world in
      let root = try world.makeTinyRoot("bad")
      try copyProgram(try Payload.attack("router"), to: root + "/sbin/init")
      try world.addTiny("bad", settings: "[Network]\n\(setting)")
      try world.startDaemon()
      try world.wake("bad")
      try eventually("the host gets advertisements") {
        let line = try world.run("cat", "/proc/net/snmp6").output.split(separator: "\n").first {
          $0.hasPrefix("Icmp6InRouterAdvertisements")
        }
        return try (line?.split(whereSeparator: \.isWhitespace).last).flatMap { Int($0) } ?? 0 >= 3
      }
      #expect(try world.run("ip", "-6", "route", "show", "default").output == "")
      #expect(try !world.run("ip", "-6", "address").output.contains("fd00:bad"))
    }
  }

  @Test("an interface that comes home has the hardware address, the MTU and the flags that it had before the guest")
  func changedInterface() throws {
    try World.with { world in
      try world.ip("link add eth1 type veth peer name eth1-wire")
      func settings() throws -> [Substring] {
        let line = try world.run("ip", "-oneline", "link", "show", "eth1").output
        let words = line.split(whereSeparator: \.isWhitespace)
        return words.filter { $0.hasPrefix("<") }
          + ["mtu", "link/ether"].compactMap { key in
            words.firstIndex(of: key).map { words[$0 + 1] }
          }
      }
      let before = try settings()
      let guest = try world.wakeTiny("echo", network: "Interface=eth1:lan")
      let change = "address 02:00:00:00:00:66 mtu 600 promisc on arp off multicast off allmulticast on"
      _ = try world.inNetwork(of: guest, "sh", "-c", "ip link set dev lan \(change)")
      try world.sleep("echo")
      #expect(try settings() == before)
      #expect(try world.interfaces().map(\.ifname).sorted() == ["eth1", "eth1-wire", "lo"])
    }
  }

  private func index(of name: String, _ world: World, _ pid: Int32) throws -> String {
    let line = try world.inNetwork(of: pid, "ip", "-oneline", "link", "show", "dev", name).output
    return String(line.prefix { $0 != ":" })
  }

  private enum SystemCall {
    #if arch(arm64)
      static let unshare = 97
    #else
      static let unshare = 272
    #endif
  }
}
