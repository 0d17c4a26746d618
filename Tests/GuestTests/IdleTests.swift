import ControlProtocol
import Glibc
import Testing

@Suite("An idle guest")
struct IdleTests {
  @Test("an idle guest is stopped after its last connection, and the next connection wakes it")
  func stream() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Guest]\nIdleStopSec=300ms")
      try world.startDaemon()
      for wake in 1...3 {
        #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
        try world.wait("echo", .inactive)
        let status = try world.status("echo")
        #expect(status.lastStop?.cause == .idle)
        #expect(status.lastStop?.killed == false)
        #expect(status.wakes == wake)
      }
    }
  }

  @Test(
    "a guest with a silent open connection is not idle",
    arguments: [("ListenStream=127.0.0.1:8001", "127.0.0.1:8001"), ("ListenStream=8001", "[::1]:8001"), ("", "")])
  func silent(listen: String, address: String) throws {
    try World.with { world in
      let path = world.directory + "/socket"
      let address = address.isEmpty ? path : address
      try world.addTiny(
        "echo", listen.isEmpty ? "ListenStream=\(path)" : listen, settings: "[Guest]\nIdleStopSec=100ms")
      // A second idle guest serves as the clock: each of its ten cycles takes at least IdleStopSec=.
      try world.addTiny("clock", "ListenStream=127.0.0.1:8009", settings: "[Guest]\nIdleStopSec=100ms")
      try world.startDaemon()
      let client = try world.connect(address)
      #expect(try client.ask("hello") == "hello")
      for _ in 1...10 {
        _ = try world.ask("127.0.0.1:8009", "tick")
        try world.wait("clock", .inactive)
      }
      #expect(try world.summary("echo").state == .active)
      #expect(try client.ask("still") == "still")
      #expect(try world.summary("echo").wakes == 1)
      let why = try world.why("echo")
      #expect(why.connections.count == 1)
    }
  }

  @Test("a guest is idle after its last AF_UNIX connection")
  func unix() throws {
    try World.with { world in
      let path = world.directory + "/socket"
      try world.addTiny("echo", "ListenStream=\(path)", settings: "[Guest]\nIdleStopSec=300ms")
      try world.startDaemon()
      for _ in 1...2 {
        #expect(try world.ask(path, "hello") == "hello")
        try world.wait("echo", .inactive)
        #expect(try world.status("echo").lastStop?.cause == .idle)
      }
    }
  }

  @Test("a guest is idle IdleStopSec= after its last datagram")
  func datagrams() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenDatagram=127.0.0.1:8001", settings: "[Guest]\nIdleStopSec=2s")
      let daemon = try world.startDaemon()
      let client = try world.datagrams(to: "127.0.0.1:8001")
      #expect(try client.askByDatagram("tick") == "tick")
      var wakes = 0
      var longest = Duration.zero
      repeat {
        longest = .zero
        wakes = try world.summary("echo").wakes
        // The pauses add up to more than IdleStopSec=, and each is much shorter. A busy machine may need another attempt.
        for _ in 1...10 {
          let begin = ContinuousClock.now
          usleep(250_000)
          #expect(try client.askByDatagram("tick") == "tick")
          longest = max(longest, ContinuousClock.now - begin)
        }
      } while longest > .seconds(1)
      #expect(try world.summary("echo").wakes == wakes)
      try daemon.until("the guest sleeps") { try world.summary("echo").state == .inactive }
      #expect(try world.status("echo").lastStop?.cause == .idle)
      #expect(try client.askByDatagram("again") == "again")
    }
  }

  @Test("a guest is idle although it holds its end of a connection whose peer is gone")
  func closeWait() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Guest]\nIdleStopSec=500ms")
      try world.startDaemon()
      // The guest stops serving at this command, so it never sees the end of the connection.
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("here") == "here")
      try client.send("hang")
      client.close()
      // No event announces this; the daemon scans twice a minute.
      try world.wait("echo", .deactivating, seconds: 90)
      #expect(try world.status("echo").lastStop?.cause == .idle)
    }
  }

  @Test("a client that keeps connecting to a socket that was not adopted does not keep an idle guest awake")
  func refusedClient() throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", arguments: ["--do=close", "--ready"],
        settings: "[Guest]\nIdleStopSec=500ms")
      let daemon = try world.startDaemon()
      // It runs, and nobody can reach it.
      #expect(try world.dormouse("wake", "echo").errors.contains("took none of its sockets"))
      try daemon.until("the guest was stopped") {
        #expect(try world.connect("127.0.0.1:8001").line() == nil)
        return try world.status("echo").counters[.stops] > 0
      }
      let status = try world.status("echo")
      #expect(status.lastStop?.cause == .idle)
      #expect(status.counters.lost.map(\.reason) == [.notAdopted])
    }
  }

  @Test(
    "with DeferAcceptSec= a client that sends nothing neither wakes a guest nor keeps it awake, and one that sends does"
  )
  func silentClients() throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", "DeferAcceptSec=60", settings: "[Guest]\nIdleStopSec=500ms")
      try world.startDaemon()
      for _ in 1...3 { try world.connect("127.0.0.1:8001").close() }
      let asleep = try world.summary("echo")
      #expect(asleep.wakes == 0 && asleep.state == .inactive)
      let silent = try world.connect("127.0.0.1:8001")
      try world.wake("echo")
      try world.wait("echo", .inactive)
      #expect(try world.summary("echo").wakes == 1)
      #expect(try silent.ask("hello") == "hello")
      #expect(try world.summary("echo").wakes == 2)
    }
  }

  @Test("a guest that was woken by a command and never used is stopped when it is idle")
  func neverUsed() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Guest]\nIdleStopSec=200ms")
      try world.startDaemon()
      try world.wake("echo")
      try world.wait("echo", .inactive)
      #expect(try world.status("echo").lastStop?.cause == .idle)
    }
  }

  @Test("the daemon makes no system call while all guests sleep, also under a service manager that watches it")
  func silence() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Guest]\nIdleStopSec=200ms")
      try world.addTiny("path", "ListenStream=\(world.directory)/socket", "ListenDatagram=127.0.0.1:8001")
      // Short enough for several messages while strace listens.
      let daemon = try world.startDaemon(environment: ["WATCHDOG_USEC": "200000"])
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      try world.wait("echo", .inactive)
      try daemon.waitUntilItSleeps()
      let traced = try world.run(
        "timeout", "60", "strace", "-f", "-c", "-p", "\(daemon.pid)", "-o", world.directory + "/calls", seconds: 120)
      #expect(traced.errors.contains("attached"), "\(traced.errors)")
      let calls = text(of: world.directory + "/calls").split(separator: "\n").filter { $0.contains(" total") }
      let count = calls.first?.split(separator: " ").dropLast().last
      // epoll_wait(2), in which strace attached, is restarted when strace detaches.
      #expect(count == nil || (Int(count ?? "") ?? 99) <= 2, "\(text(of: world.directory + "/calls"))")
    }
  }
}
