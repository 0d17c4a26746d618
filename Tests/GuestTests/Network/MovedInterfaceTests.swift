import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("The setting Interface=")
struct MovedInterfaceTests {
  /// The interfaces are ends of virtual Ethernet pairs, which the kernel removes with their network namespace.
  private func start(_ world: World) throws -> (daemon: Daemon, guest: Int32, address: String?) {
    for name in ["eth1", "eth2"] { try world.ip("link add \(name) type veth peer name \(name)-wire") }
    let address = try world.interface("eth1")?.address
    let guest = try world.wakeTiny("echo", network: "Interface=eth1:lan eth2")
    return (try #require(world.daemon), guest, address)
  }

  private func expectHome(_ world: World, _ address: String?) throws {
    let names = try world.interfaces().map(\.ifname).sorted()
    #expect(names == ["eth1", "eth1-wire", "eth2", "eth2-wire", "lo"])
    #expect(try world.interface("eth1")?.address == address)
    #expect(GuestTests.names(in: world.runtime).filter { $0.hasPrefix("echo.net") } == [])
  }

  @Test("an interface of Interface= is in the guest under its name there while it runs, and then back on the host")
  func comesHome() throws {
    try World.with { world in
      let (_, guest, address) = try start(world)
      #expect(try world.interfaces(of: guest).map(\.ifname).sorted() == ["eth2", "lan", "lo"])
      #expect(try world.interfaces().map(\.ifname).sorted() == ["eth1-wire", "eth2-wire", "lo"])
      try world.sleep("echo")
      try expectHome(world, address)
    }
  }

  @Test("an interface of Interface= returns to the host when its guest is killed, whatever its name in the guest")
  func killedGuest() throws {
    try World.with { world in
      let (daemon, guest, address) = try start(world)
      try world.inNetwork(of: guest, "ip", "link", "set", "lan", "name", "mine")
      kill(guest, SIGKILL)
      try daemon.waitForLog("stopped (")
      try expectHome(world, address)
    }
  }

  @Test(
    "the next daemon returns an interface of Interface= when daemon and guest were killed", arguments: [true, false])
  func killedDaemon(guestToo: Bool) throws {
    try World.with { world in
      let (daemon, guest, address) = try start(world)
      try world.inNetwork(of: guest, "ip", "link", "set", "lan", "name", "mine")
      daemon.child.signal(SIGKILL)
      _ = daemon.child.wait()
      if guestToo {
        kill(guest, SIGKILL)
        try daemon.until("the guest's cgroup is empty") { Cgroups.processes(below: world.cgroup).isEmpty }
      }
      let next = try world.startDaemon()
      try next.until("the guest sleeps") { try world.summary("echo").state == .inactive }
      try expectHome(world, address)
    }
  }

  @Test("an interface of Interface= returns under another name when its own is in use, with a message")
  func nameTaken() throws {
    try World.with { world in
      let (daemon, _, _) = try start(world)
      try world.ip("link add eth1 type bridge")
      try world.sleep("echo")
      try daemon.waitForLog("moving the interface back to the host as eth1: File exists")
      let names = try world.interfaces().map(\.ifname)
      #expect(names.count == 6)
      #expect(names.contains { $0.hasPrefix("dormouse") || $0 == "lan" })
    }
  }
}
