import ControlProtocol
import Glibc
import Testing

@Suite("A connection")
struct WakeTests {
  @Test(
    "a connection wakes the guest, which answers it on the passed socket",
    arguments: [
      ("ListenStream=127.0.0.1:8001", "127.0.0.1:8001"),
      ("ListenStream=[::1]:8001", "[::1]:8001"),
      ("ListenStream=8001", "127.0.0.1:8001"),
      ("ListenStream=8001", "[::1]:8001"),
      ("ListenStream=0.0.0.0:8001", "127.0.0.1:8001"),
      ("ListenStream=@dormouse-test", "@dormouse-test"),
    ])
  func stream(listen: String, address: String) throws {
    try World.with { world in
      try world.addTiny("echo", listen)
      try world.startDaemon()
      let asleep = try world.summary("echo")
      #expect(asleep.state == .inactive)
      #expect(asleep.pid == nil)
      #expect(asleep.wakes == 0)

      let client = try world.connect(address)
      #expect(try client.ask("pid") == "1")
      let awake = try world.summary("echo")
      #expect(awake.state == .active)
      #expect(awake.wakes == 1)
      #expect(awake.connections == 1)
      #expect(awake.pid != nil)
    }
  }

  @Test("a connection to a path wakes the guest, and the path has the mode of the guest file")
  func path() throws {
    try World.with { world in
      let path = world.directory + "/below/echo.sock"
      try world.addTiny("echo", "ListenStream=\(path)", "SocketMode=0620", "RemoveOnStop=yes")
      let daemon = try world.startDaemon()
      #expect(try world.run("stat", "--format=%a", path).output == "620\n")
      #expect(try world.ask(path, "hello") == "hello")
      #expect(try daemon.stop() == .exited(0))
      #expect(access(path, F_OK) != 0)
    }
  }

  @Test("a connection with sequential packets wakes the guest")
  func packets() throws {
    try World.with { world in
      let path = world.directory + "/packets"
      try world.addTiny("echo", "ListenSequentialPacket=\(path)")
      try world.startDaemon()
      #expect(try world.connectPackets(path).ask("hello") == "hello")
    }
  }

  @Test("the first datagram wakes the guest and is answered", arguments: ["127.0.0.1", "[::1]"])
  func datagram(host: String) throws {
    try World.with { world in
      try world.addTiny("echo", "ListenDatagram=\(host):8002")
      try world.startDaemon()
      let client = try world.datagrams(to: "\(host):8002")
      #expect(try client.askByDatagram("the first") == "the first")
      #expect(try client.askByDatagram("pid") == "1")
      #expect(try world.summary("echo").wakes == 1)
    }
  }

  @Test("200 simultaneous connections to a sleeping guest are all served by one instance")
  func crowd() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      try world.startDaemon()
      let clients = try world.connect("127.0.0.1:8001", times: 200)
      for (number, client) in clients.enumerated() { try client.send("client \(number)") }
      for (number, client) in clients.enumerated() { #expect(try client.line() == "client \(number)") }
      let summary = try world.summary("echo")
      #expect(summary.wakes == 1)
      #expect(summary.connections == 200)
    }
  }

  @Test("a guest gets several groups of sockets in the order of its file, with their names")
  func names() throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", "ListenStream=[::1]:8002", "FileDescriptorName=web",
        settings: "[Socket]\nListenDatagram=127.0.0.1:8003\nFileDescriptorName=dns")
      try world.startDaemon()
      let client = try world.connect("[::1]:8002")
      let environment = try client.askList("env")
      #expect(environment.contains("LISTEN_FDS=3"))
      #expect(environment.contains("LISTEN_PID=1"))
      #expect(environment.contains("LISTEN_FDNAMES=web:web:dns"))
      let held = try world.status("echo").sockets
      #expect(held.map(\.name) == ["web", "web", "dns"])
      let passed = try client.askList("fds").filter { $0.contains("socket:") }
      #expect(passed == zip(3..., held).map { "\($0) socket:[\($1.inode ?? 0)]" })
    }
  }

  @Test("PID 1 of a guest inherits only its listeners: no other descriptor and no variable of the daemon")
  func nothingElse() throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", settings: "[Exec]\nEnvironment=GIVEN=\"by the file\"")
      try world.startDaemon(environment: ["SECRET": "of the host", "LISTEN_PIDFDID": "1"])
      let client = try world.connect("127.0.0.1:8001")
      let numbers = try client.askList("fds").map { $0.split(separator: " ")[0] }
      #expect(Set(numbers) == ["0", "1", "2", "3"])
      let environment = try client.askList("env")
      #expect(environment.contains("GIVEN=by the file"))
      let names = Set(environment.map { String($0.prefix { $0 != "=" }) })
      #expect(names.isDisjoint(with: ["SECRET", "LISTEN_PIDFDID"]))
      let known: Set = [
        "PATH", "HOME", "USER", "LOGNAME", "TERM", "LANG", "container", "container_uuid", "NOTIFY_SOCKET", "LISTEN_FDS",
        "LISTEN_PID", "LISTEN_FDNAMES", "GIVEN",
      ]
      #expect(names.filter { !$0.hasPrefix("container_host_") }.isSubset(of: known))
    }
  }

  @Test("a connection is served after an earlier instance made the listener blocking, shut it down or closed it")
  func misuse() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      try world.startDaemon()
      for misdeed in ["block", "shutdown", "close"] {
        #expect(try world.ask("127.0.0.1:8001", misdeed) == "ok")
        try world.sleep("echo")
        let client = try world.connect("127.0.0.1:8001")
        #expect(try client.ask("after \(misdeed)") == "after \(misdeed)")
        #expect(try client.ask("nonblock") == "3 1")
      }
    }
  }

  @Test("a program that knows accept(2) alone serves one client after the other, unless NonBlocking=yes")
  func plainAccept() throws {
    try World.with { world in
      let listen = "ListenStream=127.0.0.1:800"
      try world.addTiny(
        "plain", listen + "1", arguments: ["--plain", "--ready"], settings: "[Exec]\nNonBlocking=no")
      try world.addTiny("other", listen + "2", arguments: ["--ready", "--plain"])
      let daemon = try world.startDaemon()
      for _ in 1...3 { #expect(try world.ask("127.0.0.1:8001", "hello") == "hello") }
      #expect(try world.summary("plain").wakes == 1)
      #expect(try world.ask("127.0.0.1:8002", "hello") == "hello")
      try daemon.until("it ended") { try world.status("other").counters[.crashes] > 0 }
    }
  }

  @Test("a connection wakes only the guest whose socket it reaches")
  func severalGuests() throws {
    try World.with { world in
      for number in 1...3 {
        try world.addTiny("g\(number)", "ListenStream=127.0.0.1:800\(number)")
      }
      try world.startDaemon()
      for number in [2, 1] {
        let answer = try world.connect("127.0.0.1:800\(number)").ask("read /proc/sys/kernel/hostname")
        #expect(answer == "g\(number)")
      }
      #expect(try world.list().map(\.state) == [.active, .active, .inactive])
    }
  }

  @Test("`dormouse wake` returns when the guest is ready, and `dormouse sleep` when it has stopped")
  func byHand() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      try world.startDaemon()
      try world.wake("echo")
      let pid = try #require(try world.summary("echo").pid)
      #expect(try world.summary("echo").state == .active)
      try world.sleep("echo")
      #expect(try world.summary("echo").state == .inactive)
      #expect(!runs(pid))
      #expect(try world.status("echo").lastStop?.cause == .request)
      #expect(try world.dormouse("wake", "nobody").succeeded == false)
    }
  }
}
