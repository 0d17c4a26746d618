import ControlProtocol
import Glibc
import Testing

@Suite("A guest")
struct StopTests {
  @Test("a guest that is stopped at any early moment stops cleanly", arguments: [0, 1, 5, 10, 50, 100, 200])
  func earlyStop(milliseconds: UInt32) throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8009", arguments: [])
      try world.addDebian("web", image: "bookworm", DebianTests.hello)
      let daemon = try world.startDaemon()
      for (name, port) in [("echo", 8009), ("web", 8001)] {
        let client = try world.connect("127.0.0.1:\(port)")
        try daemon.until("\(name) was started") { try world.summary(name).pid != nil }
        usleep(milliseconds * 1000)
        try world.sleep(name)
        let stop = try #require(try world.status(name).lastStop)
        #expect(stop.killed == false, "\(name)")
        #expect(stop.cause == .request, "\(name)")
        withExtendedLifetime(client) {}
      }
    }
  }

  @Test("a guest that powers itself off sleeps, and the next connection wakes it")
  func powerOff() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      try world.connect("127.0.0.1:8001").send("poweroff")
      try daemon.until("the guest powered itself off") { try world.status("echo").lastStop?.cause == .shutdown }
      try world.wait("echo", .inactive)
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
      #expect(try world.summary("echo").wakes == 2)
    }
  }

  @Test("clients that are queued when a guest powers itself off are served by the next instance")
  func powerOffWithQueue() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      let first = try #require(try world.summary("echo").pid)
      // The guest is stopped while they connect, and then handles the signal to power off before it sees them.
      try stop(first)
      let clients = try world.connect("127.0.0.1:8001", times: 20)
      kill(first, __libc_current_sigrtmin() + 4)
      kill(first, SIGCONT)
      for client in clients { #expect(try client.ask("hello") == "hello") }
      #expect(try world.summary("echo").pid != first)
      #expect(try world.status("echo").lastStop?.cause == .shutdown)
    }
  }

  @Test("a guest that reboots starts again with the same sockets")
  func reboot() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      let before = try world.connect("127.0.0.1:8001").askList("fds").last
      try world.connect("127.0.0.1:8001").send("reboot")
      try daemon.until("the guest runs again") {
        let now = try world.status("echo")
        return now.wakes == 2 && now.state == .active
      }
      #expect(try world.status("echo").lastWake?.cause == .reboot)
      #expect(try world.connect("127.0.0.1:8001").askList("fds").last == before)
    }
  }

  @Test("a guest that crashes starts again at the next connection")
  func crash() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      for count in 1...2 {
        try world.connect("127.0.0.1:8001").send("crash")
        try daemon.until("crash \(count) was noticed") { try world.status("echo").counters[.crashes] == count }
      }
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
    }
  }

  @Test("the pauses of a guest that crashes at each start grow, and it serves again when it is repaired")
  func crashLoop() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", arguments: ["--do=crash"])
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      // The clients connect at the same time, because the first pauses are short.
      try daemon.until("the guest is paused") {
        let status = try world.status("echo")
        return status.state == .failed && status.retryAt != nil
      }
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      daemon.child.signal(SIGHUP)
      try daemon.until("the guest runs") { try world.summary("echo").state == .active }
      #expect(try world.ask("127.0.0.1:8001", "mended") == "mended")
      withExtendedLifetime(client) {}
    }
  }

  @Test("a guest that does not become ready is stopped after TimeoutStartSec=, with a message")
  func neverReady() throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", arguments: [], settings: "[Guest]\nTimeoutStartSec=200ms")
      try world.startDaemon()
      #expect(try world.dormouse("wake", "echo").succeeded == false)
      let status = try world.status("echo")
      #expect(status.counters[.failedWakes] >= 1)
      #expect(status.lastWake?.failure != nil)
    }
  }

  @Test("a guest that hangs in its shutdown is killed after TimeoutStopSec=, and wakes again")
  func hangingStop() throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", arguments: ["--ready", "--stop=ignore"],
        settings: "[Guest]\nTimeoutStopSec=200ms")
      try world.startDaemon()
      let clients = try ["one", "two"].map { word in
        let client = try world.connect("127.0.0.1:8001")
        #expect(try client.ask(word) == word)
        return client
      }
      try world.sleep("echo")
      #expect(try world.status("echo").lastStop?.killed == true)
      #expect(try world.status("echo").counters[.kills] == 1)
      #expect(try world.status("echo").counters.lost == [LossCount(reason: .killed, count: clients.count)])
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
    }
  }

  @Test("a guest that closes a listener with queued clients is stopped, and the next instance serves them")
  func listenerClosed() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Guest]\nIdleStopSec=500ms")
      try world.startDaemon()
      // A ready guest has adopted the listener before it closes it.
      try world.wake("echo")
      let holder = try world.connect("127.0.0.1:8001")
      #expect(try holder.ask("close") == "ok")
      let client = try world.connect("127.0.0.1:8001")
      try client.send("who is there")
      #expect(try client.line() == "who is there")
      #expect(try world.summary("echo").wakes == 2)
    }
  }

  @Test("a guest with Boot=yes and an init other than systemd is stopped by SIGRTMIN+3")
  func bootedInit() throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", settings: "[Exec]\nBoot=yes\nParameters=\nParameters=--ready")
      let daemon = try world.startDaemon()
      try world.wake("echo")
      try world.sleep("echo")
      #expect(daemon.log.contains("SIGRTMIN+3"))
      #expect(try world.status("echo").lastStop?.killed == false)
    }
  }
}
