import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("A network that cannot be set up")
struct NetworkFaultTests {
  @Test(
    "a network that cannot be set up is reported, and nothing of it is left",
    arguments: [
      ("VirtualEthernet=yes", "link add ve-echo type bridge", "making the virtual Ethernet link ve-echo: File exists"),
      ("Bridge=br0", "", "looking up the interface br0: No such device"),
      ("Bridge=eth0", "", "joining eth0 (not a bridge): Invalid argument"),
      ("Interface=eth9", "", "looking up the interface eth9: No such device"),
      ("MACVLAN=eth9", "", "looking up the interface eth9: No such device"),
      ("NamespacePath=/run/netns/none-such", "", "opening the network namespace /run/netns/none-such: No such file"),
      ("NamespacePath=/etc/hostname", "", "opening the network namespace /etc/hostname (it is none): Invalid argument"),
      // The failure comes late: the interface was moved and the bridge of the zone created before.
      (
        "Interface=eth0\nZone=office\nVirtualEthernetExtra=lo:x0", "",
        "making the virtual Ethernet link lo: File exists"
      ),
    ])
  func faults(network: String, before: String, words: String) throws {
    try World.with { world in
      try world.ip("link add eth0 type veth peer name wire")
      if !before.isEmpty { try world.ip(before) }
      let interfaces = try Set(world.interfaces().map(\.ifname))
      try world.addTiny("echo", settings: "[Network]\n\(network)")
      let daemon = try world.startDaemon()
      #expect(try !world.dormouse("wake", "echo").succeeded)
      try daemon.waitForLog("cannot start: \(words)")
      #expect(try Set(world.interfaces().map(\.ifname)) == interfaces)
      #expect(names(in: world.runtime).filter { $0.hasPrefix("echo.net") } == [])
      #expect(Cgroups.processes(below: world.cgroup) == [daemon.pid])
    }
  }

  @Test("a guest whose network could not be set up starts once the missing interface exists")
  func heals() throws {
    try World.with { world in
      try world.addTiny("echo", settings: "[Network]\nBridge=br0")
      try world.startDaemon()
      #expect(try !world.dormouse("wake", "echo").succeeded)
      try world.ip("link add br0 type bridge")
      try world.wake("echo")
      #expect(try world.interface("vb-echo")?.master == "br0")
    }
  }

  @Test("a network that a daemon without CAP_NET_ADMIN cannot set up is reported with that reason")
  func unprivileged() throws {
    try World.with { world in
      try world.addTiny("echo", settings: "[Network]\nVirtualEthernet=yes")
      let log = world.directory + "/unprivileged"
      let daemon = try world.start(
        [
          "setpriv", "--bounding-set=-net_admin", Built.dormoused, "--config", world.config, "--runtime", world.runtime,
        ],
        log: log)
      try eventually("the daemon replies") { try world.dormouse("list").succeeded || !daemon.isRunning }
      #expect(try !world.dormouse("wake", "echo").succeeded)
      #expect(text(of: log + ".err").contains("making the virtual Ethernet link ve-echo: Operation not permitted"))
      #expect(try world.interfaces().map(\.ifname) == ["lo"])
    }
  }

  @Test("the next daemon removes the bridge of a zone whose last guest was killed with the daemon")
  func zone() throws {
    try World.with { world in
      let guest = try world.wakeTiny("echo", network: "Zone=office")
      let daemon = try #require(world.daemon)
      daemon.child.signal(SIGKILL)
      _ = daemon.child.wait()
      kill(guest, SIGKILL)
      try daemon.until("the guest's cgroup is empty") { Cgroups.processes(below: world.cgroup).isEmpty }
      let next = try world.startDaemon()
      try next.until("the bridge is removed") { try world.interfaces().map(\.ifname) == ["lo"] }
    }
  }
}
