import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("Freezing an idle guest")
struct FreezeTests {
  @Test(
    "a guest that is not used for a while is frozen, and the same instance answers the next client",
    arguments: [
      "ListenStream=127.0.0.1:8001", "ListenStream=[::1]:8001", "ListenStream=/", "ListenDatagram=127.0.0.1:8001",
    ])
  func answers(listen: String) throws {
    try World.with { world in
      let path = world.directory + "/socket"
      let listen = listen.replacing("=/", with: "=\(path)")
      let address = String(listen.drop { $0 != "=" }.dropFirst())
      try world.addTiny("echo", listen, settings: "[Guest]\nIdleFreezeSec=100ms")
      try world.startDaemon()
      try world.wake("echo")
      for round in 1...5 {
        try world.wait("echo", .frozen)
        #expect(try world.freezeFlag("echo") == "1")
        if listen.hasPrefix("ListenDatagram") {
          #expect(try world.datagrams(to: address).askByDatagram("\(round)") == "\(round)")
        } else {
          #expect(try world.ask(address, "\(round)") == "\(round)")
        }
      }
      let status = try world.status("echo")
      #expect(status.wakes == 1)
      #expect(status.counters[.freezes] >= 5)
    }
  }

  @Test("a guest is stopped after IdleStopSec=, also while it is frozen")
  func stops() throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", settings: "[Guest]\nIdleFreezeSec=50ms\nIdleStopSec=3s")
      let daemon = try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      try world.wait("echo", .inactive)
      let stop = try #require(try world.status("echo").lastStop)
      #expect(stop.cause == .idle)
      #expect(stop.killed == false)
      #expect(daemon.log.contains("frozen: nobody uses it"))
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
    }
  }

  @Test("a frozen guest can be stopped on request, by a reload and at the end of the daemon, and be killed")
  func endsWhileFrozen() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      func freeze() throws {
        try world.wake("echo")
        try eventually("the guest is idle") { try world.dormouse("freeze", "echo").succeeded }
        #expect(try world.summary("echo").state == .frozen)
      }
      try freeze()
      #expect(try world.dormouse("thaw", "echo").succeeded)
      #expect(try world.summary("echo").state == .active)
      try freeze()
      try world.wake("echo")
      #expect(try world.summary("echo").state == .active)
      try freeze()
      try world.sleep("echo")
      #expect(try world.status("echo").lastStop?.killed == false)
      try freeze()
      kill(try #require(try world.summary("echo").pid), SIGKILL)
      try daemon.until("the daemon has noticed the end") { try world.status("echo").counters[.crashes] == 1 }
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
      try freeze()
      #expect(try daemon.stop() == .exited(0))
      #expect(!daemon.log.contains("killing"))
    }
  }

  @Test(
    "`dormouse freeze` refuses a guest in use without --now, and with it the guest is thawed by a client that sends something",
    arguments: ["127.0.0.1:8001", "[::1]:8001", "/"])
  func inUse(listen: String) throws {
    try World.with { world in
      let address = listen == "/" ? world.directory + "/socket" : listen
      try world.addTiny("echo", "ListenStream=\(address)")
      try world.startDaemon()
      #expect(try world.dormouse("freeze", "echo").errors.contains("it is inactive"))
      let client = try world.connect(address)
      #expect(try client.ask("hello") == "hello")
      #expect(try world.dormouse("freeze", "echo").errors.contains("1 connection is open"))
      for round in 1...2 {
        #expect(try world.dormouse("freeze", "echo", "--now").succeeded)
        #expect(try world.summary("echo").state == .frozen)
        #expect(try client.ask("are you there, \(round)") == "are you there, \(round)")
      }
      #expect(try world.summary("echo").wakes == 1)
      // A new client thaws it for all.
      #expect(try world.dormouse("freeze", "echo", "--now").succeeded)
      #expect(try world.ask(address, "incoming") == "incoming")
      #expect(try client.ask("still") == "still")
    }
  }

  @Test(
    "a guest is frozen with silent connections if its file allows it, and data on one of them thaws it",
    arguments: ["127.0.0.1:8001", "[::1]:8001"])
  func withConnections(address: String) throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=\(address)", settings: "[Guest]\nIdleFreezeSec=200ms\nIdleFreeze=with-connections")
      try world.startDaemon()
      let client = try world.connect(address)
      for round in 1...4 {
        #expect(try client.ask("\(round)") == "\(round)")
        try world.wait("echo", .frozen)
        #expect(try world.why("echo").connections.count == 1)
      }
      // A new connection thaws it too, and so does the end of one.
      let other = try world.connect(address)
      #expect(try other.ask("other") == "other")
      try world.wait("echo", .frozen)
      let freezes = try world.status("echo").counters[.freezes]
      client.close()
      try eventually("the guest saw the end") {
        try world.status("echo").counters[.freezes] > freezes && world.why("echo").connections.count == 1
      }
      // A stop on request thaws the guest, and its clients get time to finish.
      #expect(try world.dormouse("sleep", "echo").errors.contains("1 connection is open"))
      #expect(try world.summary("echo").wakes == 1)
    }
  }

  @Test("a guest that was frozen with silent connections is thawed after IdleStopSec=, before peers give up on them")
  func boundedWithConnections() throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001",
        settings: "[Guest]\nIdleFreezeSec=100ms\nIdleFreeze=with-connections\nIdleStopSec=400ms")
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("hello") == "hello")
      try daemon.until("the guest was thawed") { try world.status("echo").counters[.freezes] >= 3 }
      #expect(try client.ask("still") == "still")
      #expect(try world.summary("echo").wakes == 1)
    }
  }

  @Test("a guest with a silent AF_UNIX connection is not frozen, because data on it could not be noticed")
  func unixConnection() throws {
    try World.with { world in
      let path = world.directory + "/socket"
      try world.addTiny(
        "echo", "ListenStream=\(path)", settings: "[Guest]\nIdleFreezeSec=50ms\nIdleFreeze=with-connections")
      // A second guest serves as the clock.
      try world.addTiny("clock", "ListenStream=127.0.0.1:8009", settings: "[Guest]\nIdleFreezeSec=100ms")
      try world.startDaemon()
      let client = try world.connect(path)
      #expect(try client.ask("hello") == "hello")
      for _ in 1...15 {
        _ = try world.ask("127.0.0.1:8009", "tick")
        try world.wait("clock", .frozen)
      }
      #expect(try world.status("echo").counters[.freezes] == 0)
    }
  }

  @Test("a message reports that the memory of a frozen guest cannot be reclaimed")
  func reclaim() throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", settings: "[Guest]\nIdleFreezeSec=50ms\nIdleReclaim=yes")
      let daemon = try world.startDaemon()
      try world.wake("echo")
      let group = try #require(try world.status("echo").cgroup)
      let hasController = access(group + "/memory.current", F_OK) == 0
      let reason = hasController ? "this kernel has no memory.reclaim" : "there is no memory controller here"
      let expected = access(group + "/memory.reclaim", F_OK) == 0 ? 0 : 1
      // The message appears once, however often the guest is frozen.
      for _ in 1...3 {
        try world.wait("echo", .frozen)
        #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      }
      #expect(daemon.log.ranges(of: "cannot reclaim memory (IdleReclaim=): \(reason)").count == expected)
    }
  }

  @Test("reclaiming the memory of a frozen guest is retried when the kernel has no memory for it")
  func reclaimLater() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Guest]\nIdleReclaim=yes")
      let daemon = try world.startDaemon()
      try world.wake("echo")
      let file = world.cgroup(of: "echo") + "/memory.reclaim"
      let injection = try Injection("openat:error=ENOMEM:when=1", at: file, into: daemon.pid, of: world)
      #expect(try world.dormouse("freeze", "echo", "--now").succeeded)
      try eventually("the file is opened again") { injection.log.ranges(of: "openat(").count == 2 }
      injection.end()
      #expect(injection.log.ranges(of: "(INJECTED)").count == 1)
      #expect(!daemon.log.contains("memory.reclaim: Cannot allocate memory"))
    }
  }

  @Test("a frozen orphan of a killed daemon is stopped cleanly by the next daemon")
  func leftFrozen() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let first = try world.startDaemon()
      try world.wake("echo")
      #expect(try world.dormouse("freeze", "echo").succeeded)
      first.child.signal(SIGKILL)
      _ = first.child.wait()
      let second = try world.startDaemon()
      try second.waitForLog("stopped (powered off)")
      try world.wait("echo", .inactive)
      #expect(!second.log.contains("killing"))
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
    }
  }

  @Test("a guest survives being frozen for longer than its watchdogs, because PID 1 is thawed last")
  func watchdogs() throws {
    try World.with { world in
      let units = try world.writeUnits([
        "hello.socket": "[Socket]\nListenStream=127.0.0.1:8001\n",
        "hello.service": "[Service]\nExecStart=/usr/local/bin/tiny-init\n",
      ])
      try FileManager.default.createDirectory(
        atPath: units + "/systemd-journald.service.d", withIntermediateDirectories: true)
      try "[Service]\nWatchdogSec=5s\n".write(
        toFile: units + "/systemd-journald.service.d/dog.conf", atomically: true, encoding: .utf8)
      try world.addDebian("web", image: "trixie", units: units, "ListenStream=127.0.0.1:8001")
      try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      try world.wake("web")
      let group = try #require(try world.status("web").cgroup)
      let journald = try world.processes(group, named: "systemd-journal")
      #expect(journald.count == 1)
      for _ in 1...3 {
        #expect(try world.dormouse("freeze", "web", "--now").succeeded)
        usleep(7_000_000)
        #expect(try world.ask("127.0.0.1:8001", "still") == "still")
        usleep(300_000)
      }
      #expect(try world.processes(group, named: "systemd-journal") == journald)
      #expect(try world.status("web").wakes == 1)
    }
  }
}

extension World {
  /// The value of cgroup.freeze of the guest.
  fileprivate func freezeFlag(_ guest: String) throws -> String {
    let group = try status(guest).cgroup ?? ""
    return text(of: group + "/cgroup.freeze").trimmingCharacters(in: .whitespacesAndNewlines)
  }

  fileprivate func processes(_ cgroup: String, named name: String) throws -> [Int32] {
    Cgroups.processes(below: cgroup).filter { text(of: "/proc/\($0)/comm").hasPrefix(name) }
  }
}
