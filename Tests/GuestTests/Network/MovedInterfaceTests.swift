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

  @Test(
    "an interface that is named by an alternative name, or gets one as its name, comes home under its own with all names",
    arguments: ["eth1:lan", "eth1:nalt", "nalt", "nalt:lan"])
  func alternativeName(setting: String) throws {
    try World.with { world in
      try world.ip("link add eth1 type veth peer name eth1-wire")
      try world.ip("link property add dev eth1 altname nalt altname a-name-of-more-than-fifteen-characters")
      let guest = try world.wakeTiny("echo", network: "Interface=\(setting)")
      let inside = try #require(try world.interfaces(of: guest).first { $0.ifname != "lo" })
      #expect(inside.ifname == setting.split(separator: ":").last.map(String.init))
      try world.sleep("echo")
      let home = try #require(try world.interface("eth1"))
      #expect(Set(home.altnames ?? []) == ["nalt", "a-name-of-more-than-fifteen-characters"])
      #expect(try world.interface("eth1-wire") != nil)
    }
  }

  @Test("an interface whose name in the guest is taken stays on the host, and the guest's start says why")
  func nameTakenInGuest() throws {
    try World.with { world in
      try world.ip("link add eth1 type veth peer name eth1-wire")
      try world.ip("link property add dev eth1 altname nalt")
      try world.addTiny("echo", settings: "[Network]\nInterface=eth1:lo")
      let daemon = try world.startDaemon()
      #expect(try !world.dormouse("wake", "echo").succeeded)
      try daemon.waitForLog("moving the interface eth1 to the guest as lo: File exists")
      #expect(try world.interface("eth1")?.altnames == ["nalt"])
      #expect(try world.interfaces().map(\.ifname).sorted() == ["eth1", "eth1-wire", "lo"])
    }
  }

  @Test("interfaces of every kind and with long names come up in one guest, and none is left on the host at its end")
  func everyKind() throws {
    try World.with { world in
      for name in ["one", "two", "three", "mac1", "mac2", "macvlan-is-long"] {
        try world.ip("link add \(name) type veth peer name \(name.prefix(10))-wire")
      }
      try world.ip("link property add dev three altname alt3 altname alternative-name-that-is-long")
      let before = try Set(world.interfaces().map(\.ifname))
      let guest = try world.wakeTiny(
        "echo",
        network: """
          Private=yes
          VirtualEthernet=yes
          VirtualEthernetExtra=fancy1
          VirtualEthernetExtra=fancy2:my-fancy2
          Interface=one two:renamed2 three:alt3
          MACVLAN=mac1 mac2:my-mac2 macvlan-is-long
          Zone=zone0
          Port=80
          Port=81:8181
          Port=tcp:60
          Port=udp:60:61
          """)
      let inside = try world.interfaces(of: guest)
      let names = Set(inside.map(\.ifname))
      let wanted: Set = ["lo", "host0", "fancy1", "my-fancy2", "one", "renamed2", "alt3", "mv-mac1", "my-mac2"]
      #expect(names.isSuperset(of: wanted))
      #expect(names.count == wanted.count + 1)
      #expect(inside.first { $0.ifname == "alt3" }?.altnames?.contains("three") == true)
      #expect(inside.filter { $0.kind == "macvlan" }.count == 3)
      #expect(try world.interface("vz-zone0")?.kind == "bridge")
      try world.sleep("echo")
      #expect(try Set(world.interfaces().map(\.ifname)) == before)
    }
  }
}
