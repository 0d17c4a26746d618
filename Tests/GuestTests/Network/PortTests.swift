import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("The setting Port=")
struct PortTests {
  /// Starts a guest that answers at its port 80 and gets an address later; the host end of its link has 10.8.0.1.
  private func start(_ world: World, ports: String = "Port=8080:80") throws -> (daemon: Daemon, guest: Int32) {
    let guest = try world.wakeTiny("echo", network: "VirtualEthernet=yes\n\(ports)")
    try world.ip("address add 10.8.0.1/24 dev ve-echo")
    try world.inNetwork(of: guest, "ip", "link", "set", "host0", "up")
    return (try #require(world.daemon), guest)
  }

  private func add(_ address: String, _ world: World, _ guest: Int32) throws {
    try world.inNetwork(of: guest, "ip", "address", "add", address + "/24", "dev", "host0")
    try #require(world.daemon).waitForLog("Port= forwards to \(address)")
    try world.serve(in: guest, at: address + ":80")
  }

  private func rules(_ world: World) throws -> String { try world.run("nft", "list", "ruleset").output }

  @Test("Port= forwards connections to the host's addresses, including 127.0.0.1, and follows the guest's address")
  func follows() throws {
    try World.with { world in
      let (daemon, guest) = try start(world)
      #expect(try rules(world).isEmpty)
      try add("10.8.0.2", world, guest)
      #expect(try world.ask("10.8.0.1", 8080, "hello", from: daemon.pid) == "hello")
      #expect(try world.ask("127.0.0.1", 8080, "hello", from: daemon.pid) == "hello")
      try world.inNetwork(of: guest, "ip", "address", "delete", "10.8.0.2/24", "dev", "host0")
      try daemon.waitForLog("the guest has no address")
      #expect(try !rules(world).contains("dnat"))
      try add("10.8.0.3", world, guest)
      #expect(try world.ask("127.0.0.1", 8080, "again", from: daemon.pid) == "again")
      try world.sleep("echo")
      #expect(try rules(world).isEmpty)
    }
  }

  @Test("Port= forwards TCP connections and UDP datagrams from other machines to the guest")
  func others() throws {
    try World.with { world in
      let (daemon, guest) = try start(world, ports: "Port=8080:80\nPort=udp:5353:53")
      let other = try world.start(["unshare", "--net", "sleep", "1000"]).pid
      try daemon.until("the other machine is reachable") {
        try require("readlink", "/proc/\(other)/ns/net") != require("readlink", "/proc/\(daemon.pid)/ns/net")
      }
      try world.ip("link add eth0 type veth peer name eth0 netns \(other)")
      try world.ip("address add 192.0.2.1/24 dev eth0")
      try world.ip("link set eth0 up")
      try world.inNetwork(of: other, "ip", "address", "add", "192.0.2.2/24", "dev", "eth0")
      try world.inNetwork(of: other, "ip", "link", "set", "eth0", "up")
      _ = try world.run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
      try add("10.8.0.2", world, guest)
      try world.inNetwork(of: guest, "ip", "route", "add", "default", "via", "10.8.0.1")
      #expect(try world.ask("192.0.2.1", 8080, "hello", from: other) == "hello")
      _ = try world.start([
        "nsenter", "--net=/proc/\(guest)/ns/net", "systemd-socket-activate", "--datagram", "--listen=10.8.0.2:53",
        try Payload.tinyInit(),
      ])
      try daemon.until("a server receives datagrams") {
        try world.inNetwork(of: guest, "ss", "-Hlun").output.contains("10.8.0.2:53")
      }
      #expect(try world.ask("192.0.2.1", 5353, "hello", from: other, over: "udp") == "hello")
    }
  }

  @Test("Port= forwards IPv6 connections to the guest")
  func ipv6() throws {
    try World.with { world in
      let (daemon, guest) = try start(world)
      try world.ip("address add fd08::1/64 dev ve-echo nodad")
      try world.inNetwork(of: guest, "ip", "address", "add", "fd08::2/64", "dev", "host0", "nodad")
      try daemon.waitForLog("Port= forwards to fd08::2")
      try world.serve(in: guest, at: "[fd08::2]:80")
      #expect(try world.ask("fd08::1", 8080, "hello", from: daemon.pid) == "hello")
    }
  }

  @Test("Port= does not let the guest reach servers that listen only on 127.0.0.1 of the host")
  func guarded() throws {
    try World.with { world in
      let (daemon, guest) = try start(world)
      try add("10.8.0.2", world, guest)
      try world.serve(in: daemon.pid, at: "127.0.0.1:9000")
      // Root in a guest can send packets for 127.0.0.1 to the host in this way.
      let script = """
        echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet
        ip route delete table local 127.0.0.0/8 dev lo; ip route delete table local 127.0.0.1 dev lo
        ip route add 127.0.0.1 via 10.8.0.1 dev host0 src 10.8.0.2 && exec timeout 1 bash -c '</dev/tcp/127.0.0.1/9000'
        """
      let outcome = try world.run(["nsenter", "--net=/proc/\(guest)/ns/net", "sh", "-c", script])
      // timeout(1) ended it: there was no answer, not even a refusal.
      #expect(outcome.status == 124, "\(outcome.errors)")
      let dropped = try world.run("nft", "list", "chain", "inet", "dormouse-echo", "guard").output
      #expect(dropped.contains("drop"))
    }
  }

  @Test("the next daemon removes the rules of Port=, with and without an orphan", arguments: [true, false])
  func killedDaemon(guestToo: Bool) throws {
    try World.with { world in
      let (daemon, guest) = try start(world)
      try add("10.8.0.2", world, guest)
      daemon.child.signal(SIGKILL)
      _ = daemon.child.wait()
      #expect(try rules(world).contains("dnat"))
      if guestToo { kill(guest, SIGKILL) }
      let next = try world.startDaemon()
      try next.until("the guest sleeps") { try world.summary("echo").state == .inactive }
      #expect(try rules(world).isEmpty)
      // The server of the test is still in the guest's network namespace, which keeps it alive.
      #expect(try world.interfaces().map(\.ifname) == ["lo"])
      #expect(names(in: world.runtime).filter { $0.hasPrefix("echo.net") } == [])
    }
  }

  @Test("Port= forwards as soon as the host has a route to an address that the guest had before")
  func lateRoute() throws {
    try World.with { world in
      let guest = try world.wakeTiny("echo", network: "VirtualEthernet=yes\nPort=8080:80")
      let daemon = try #require(world.daemon)
      try world.inNetwork(of: guest, "ip", "link", "set", "host0", "up")
      try world.inNetwork(of: guest, "ip", "address", "add", "10.8.0.2/24", "dev", "host0")
      try daemon.waitForLog("route to 10.8.0.2 does not lead to the guest's own link")
      try world.ip("address add 10.8.0.1/24 dev ve-echo")
      try daemon.waitForLog("Port= forwards to 10.8.0.2")
    }
  }
}
