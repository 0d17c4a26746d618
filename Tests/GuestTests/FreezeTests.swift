import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("A guest that is not used for a while")
struct FreezeTests {
  @Test(
    "stands still, and the next client is answered by it as if nothing had been",
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
      #expect(status.counters.freezes >= 5)
    }
  }

  @Test("is stopped after IdleStopSec=, which counts on while it stands still")
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

  @Test("is told to halt, asked for, released and killed while it stands still")
  func endsWhileFrozen() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      func freeze() throws {
        try world.wake("echo")
        try eventually("nobody uses it") { try world.dormouse("freeze", "echo").succeeded }
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
      try daemon.until("its end was noticed") { try world.status("echo").counters.crashes == 1 }
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
      try freeze()
      #expect(try daemon.stop() == .exited(0))
      #expect(!daemon.log.contains("killing"))
    }
  }

  @Test("is left alone by `dormouse freeze` while somebody uses it, unless now; then a new client frees all")
  func inUse() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      try world.startDaemon()
      #expect(try world.dormouse("freeze", "echo").errors.contains("it is inactive"))
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("hello") == "hello")
      #expect(try world.dormouse("freeze", "echo").errors.contains("1 connection is open"))
      #expect(try world.dormouse("freeze", "echo", "--now").succeeded)
      try client.send("are you there")
      #expect(try world.summary("echo").state == .frozen)
      #expect(try world.ask("127.0.0.1:8001", "incoming") == "incoming")
      #expect(try client.line() == "are you there")
    }
  }

  @Test(
    "stands still with silent connections where its file allows it, and what arrives on one lets it go on",
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
      // A new one lets it go on as well, and the end of one.
      let other = try world.connect(address)
      #expect(try other.ask("other") == "other")
      try world.wait("echo", .frozen)
      let freezes = try world.status("echo").counters.freezes
      client.close()
      try eventually("it took notice") {
        try world.status("echo").counters.freezes > freezes && world.why("echo").connections.count == 1
      }
      // Asked to halt, it hears of it, and the stop gives who is connected his time.
      #expect(try world.dormouse("sleep", "echo").errors.contains("1 connection is open"))
      #expect(try world.summary("echo").wakes == 1)
    }
  }

  @Test("goes on before its silent connections are taken for dead: after IdleStopSec= at the latest")
  func boundedWithConnections() throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001",
        settings: "[Guest]\nIdleFreezeSec=100ms\nIdleFreeze=with-connections\nIdleStopSec=400ms")
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("hello") == "hello")
      try daemon.until("it went on by itself") { try world.status("echo").counters.freezes >= 3 }
      #expect(try client.ask("still") == "still")
      #expect(try world.summary("echo").wakes == 1)
    }
  }

  @Test("with a silent AF_UNIX connection is not frozen: nobody would hear what comes next on it")
  func unixConnection() throws {
    try World.with { world in
      let path = world.directory + "/socket"
      try world.addTiny(
        "echo", "ListenStream=\(path)", settings: "[Guest]\nIdleFreezeSec=50ms\nIdleFreeze=with-connections")
      // A second guest is the clock.
      try world.addTiny("clock", "ListenStream=127.0.0.1:8009", settings: "[Guest]\nIdleFreezeSec=100ms")
      try world.startDaemon()
      let client = try world.connect(path)
      #expect(try client.ask("hello") == "hello")
      for _ in 1...15 {
        _ = try world.ask("127.0.0.1:8009", "tick")
        try world.wait("clock", .frozen)
      }
      #expect(try world.status("echo").counters.freezes == 0)
    }
  }

  @Test("says so where its memory cannot be pushed out")
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
      // Once, however often it is frozen.
      for _ in 1...3 {
        try world.wait("echo", .frozen)
        #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      }
      #expect(daemon.log.ranges(of: "IdleReclaim=: its memory stays where it is: \(reason)").count == expected)
    }
  }

  @Test("has its memory asked for again when the kernel had no room for that")
  func reclaimLater() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Guest]\nIdleReclaim=yes")
      let daemon = try world.startDaemon()
      try world.wake("echo")
      let file = world.cgroup(of: "echo") + "/memory.reclaim"
      let injection = try Injection("openat:error=ENOMEM:when=1", at: file, into: daemon.pid, of: world)
      #expect(try world.dormouse("freeze", "echo", "--now").succeeded)
      try eventually("it is opened again") { injection.log.ranges(of: "openat(").count == 2 }
      injection.end()
      #expect(injection.log.ranges(of: "(INJECTED)").count == 1)
      #expect(!daemon.log.contains("memory.reclaim: Cannot allocate memory"))
    }
  }

  @Test("and whose daemon was killed meanwhile is ended cleanly by the next one")
  func leftFrozen() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let first = try world.startDaemon()
      try world.wake("echo")
      #expect(try world.dormouse("freeze", "echo").succeeded)
      first.child.signal(SIGKILL)
      _ = first.child.wait()
      let second = try world.startDaemon()
      try second.waitForLog("gone: halted")
      try world.wait("echo", .inactive)
      #expect(!second.log.contains("killing"))
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
    }
  }

  @Test("survives a standstill that is longer than its watchdogs, with PID 1 last to go on")
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
  /// What stands in the guest's cgroup.freeze.
  fileprivate func freezeFlag(_ guest: String) throws -> String {
    let group = try status(guest).cgroup ?? ""
    return text(of: group + "/cgroup.freeze").trimmingCharacters(in: .whitespacesAndNewlines)
  }

  fileprivate func processes(_ cgroup: String, named name: String) throws -> [Int32] {
    Cgroups.processes(below: cgroup).filter { text(of: "/proc/\($0)/comm").hasPrefix(name) }
  }
}
