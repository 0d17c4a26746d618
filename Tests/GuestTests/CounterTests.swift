import Testing

@Suite("What is counted of a guest")
struct CounterTests {
  @Test("is each TCP connection once, however short it was, and apart those that it gave no answer")
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
      // The kernel tells of an end a moment after it.
      try daemon.until("all are counted, and the ends of three") {
        let counters = try world.status("echo").counters
        return counters.accepted == 44 && counters.unanswered == 3
      }
      #expect(try world.status("echo").counters.lost == [])
    }
  }

  @Test("is one as well that was over before its daemon came to look at the guest, which had just been started")
  func atOnce() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      // That takes longer than the guest needs to answer: by such calls the kernel is asked to tell of the ends.
      let injection = try Injection("setsockopt:delay_enter=300000", into: daemon.pid, of: world)
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("hello") == "hello")
      client.close()
      try world.wake("echo")
      injection.end()
      #expect(injection.log.contains("DELAYED"))
      try daemon.until("it is counted") { try world.status("echo").counters.accepted == 1 }
    }
  }
}
