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
}
