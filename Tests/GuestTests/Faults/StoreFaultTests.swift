import Testing

@Suite("A service manager that receives no messages")
struct StoreFaultTests {
  @Test("a socket that could not be stored is stored when its guest sleeps the next time")
  func storedLater() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let manager = try NotifySocket(world.directory + "/manager")
      let log = world.directory + "/daemon"
      let daemon = try world.start(
        [
          "strace", "-D", "-o", world.directory + "/strace", "-e", "trace=memfd_create", "-e",
          "inject=memfd_create:error=EPERM:when=1", Built.dormoused, "--config", world.config, "--runtime",
          world.runtime,
        ],
        environment: ["NOTIFY_SOCKET": manager.path], log: log)
      #expect(try manager.waitUntilReady(daemon)["FDSTORE"] == nil)
      #expect(text(of: log + ".err").contains("cannot update the service manager's store of sockets"))
      try world.wake("echo")
      try world.sleep("echo")
      while try !manager.message(from: daemon).contains("FDSTORE=1\nFDNAME=dormouse.socket.") {}
    }
  }

  @Test("sockets are stored as soon as the full queue of the service manager has room")
  func full() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", "ListenStream=127.0.0.1:8002")
      let manager = try NotifySocket(world.directory + "/manager")
      try manager.fill()
      let log = world.directory + "/daemon"
      let daemon = try world.start(
        [Built.dormoused, "--config", world.config, "--runtime", world.runtime],
        environment: ["NOTIFY_SOCKET": manager.path], log: log)
      try eventually("the daemon is running") { text(of: log + ".err").contains("asleep; listening on") }
      #expect(
        text(of: log + ".err").ranges(of: "cannot update the service manager's store of sockets: ").count == 1)
      for _ in 1...2 {
        while try !manager.message(from: daemon).hasPrefix("FDSTORE=1\nFDNAME=dormouse.socket.") {}
      }
    }
  }
}
