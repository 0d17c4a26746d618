import Testing

@Suite("The counters of a guest")
struct CounterTests {
  @Test("each TCP connection of a guest is counted once, however short, and unanswered ones are counted separately")
  func connections() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", "ListenStream=[::1]:8002", arguments: ["--ready"])
      let daemon = try world.startDaemon()
      for _ in 0..<20 {
        for address in ["127.0.0.1:8001", "[::1]:8002"] { #expect(try world.ask(address, "hello") == "hello") }
      }
      for _ in 0..<3 { _ = try world.connect("127.0.0.1:8001") }
      let open = try world.connect("[::1]:8002")
      #expect(try open.ask("hello") == "hello")
      // The kernel reports the end of a connection with a short delay.
      try daemon.until("all connections are counted, and three as unanswered") {
        let counters = try world.status("echo").counters
        return counters[.accepted] == 44 && counters[.unanswered] == 3
      }
      #expect(try world.status("echo").counters.lost == [])
    }
  }

  @Test("a TCP connection that ended before the daemon first scanned the started guest is counted")
  func atOnce() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      // This delays the daemon's subscription to the ends of connections for longer than the guest needs to answer.
      let injection = try Injection("setsockopt:delay_enter=300000", into: daemon.pid, of: world)
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("hello") == "hello")
      client.close()
      try world.wake("echo")
      injection.end()
      #expect(injection.log.contains("DELAYED"))
      try daemon.until("the connection is counted") { try world.status("echo").counters[.accepted] == 1 }
    }
  }
}
