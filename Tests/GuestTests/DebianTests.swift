import ControlProtocol
import Foundation
import Testing

@Suite("A Debian guest")
struct DebianTests {
  /// The same listeners as in `Tests/guests/units/hello/hello.socket`.
  static let hello = """
    ListenStream=127.0.0.1:8001
    ListenStream=[::1]:8002
    ListenStream=8003
    ListenDatagram=127.0.0.1:8004
    """

  @Test(
    "a Debian guest starts without a failed unit and serves every kind of socket",
    arguments: ["bookworm", "trixie", "sid"])
  func comesUp(image: String) throws {
    try World.with { world in
      // systemd compares the path to which a socket was bound, so it must be the path that the guest's unit has.
      let path = "\(world.directory)/web.sock"
      let units = try helloUnits(world, path: path)
      try world.addDebian(
        "web", image: image, units: units, Self.hello, "ListenStream=\(path)",
        "RemoveOnStop=yes")
      let daemon = try world.startDaemon()

      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      #expect(try world.ask("[::1]:8002", "hello") == "hello")
      #expect(try world.ask("127.0.0.1:8003", "hello") == "hello")
      #expect(try world.ask("[::1]:8003", "hello") == "hello")
      #expect(try world.datagrams(to: "127.0.0.1:8004").askByDatagram("hello") == "hello")
      #expect(try world.ask(path, "hello") == "hello")

      let pid = try #require(try world.summary("web").pid)
      let state = try world.enter(pid, "systemctl", "is-system-running", "--wait").output
      let failed = try world.enter(pid, "systemctl", "--failed", "--no-legend").output
      #expect(state == "running\n", "\(state)\(failed)")
      #expect(failed == "")

      let status = try world.status("web")
      #expect(status.sockets.allSatisfy { $0.adopted == true })
      #expect(status.report?.ready == true)
      #expect(status.messages == [])

      try world.sleep("web")
      #expect(try world.status("web").lastStop?.killed == false)
      #expect(try daemon.stop() == .exited(0))
    }
  }

  @Test(
    "an idle Debian guest is stopped by SIGRTMIN+3 and shuts down cleanly", arguments: ["bookworm", "trixie", "sid"])
  func idles(image: String) throws {
    try World.with { world in
      try world.addDebian(
        "web", image: image, units: try helloUnits(world, path: "/run/none"), Self.hello,
        settings: "[Guest]\nIdleStopSec=200ms")
      let daemon = try world.startDaemon()
      for wake in 1...2 {
        #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
        try world.wait("web", .inactive)
        let status = try world.status("web")
        #expect(status.wakes == wake)
        #expect(status.lastStop?.cause == .idle)
        #expect(status.lastStop?.killed == false)
      }
      #expect(daemon.log.contains("SIGRTMIN+3"))
      #expect(try world.console("web").contains("Halting") || world.console("web").contains("Shutdown"))
    }
  }

  @Test("the status of a Debian guest shows the notifications of its systemd")
  func reports() throws {
    try World.with { world in
      try world.addDebian("web", image: "trixie", Self.hello)
      try world.startDaemon()
      try world.wake("web")
      let report = try #require(try world.status("web").report)
      #expect(report.signalsLevel == 2)
      #expect(report.hostname != nil)
      #expect(report.machineID?.count == 32)
      #expect(report.units.contains("sockets.target"))
      try world.connect("127.0.0.1:8001").send("anything")
      let pid = try #require(try world.summary("web").pid)
      _ = try world.enter(pid, "systemctl", "reboot")
      try world.waitForWake("web", number: 2)
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      #expect(try world.status("web").lastWake?.cause == .reboot)
    }
  }

  @Test("a guest whose socket unit has another address produces warnings, and its clients do not hang")
  func disagreement() throws {
    try World.with { world in
      let units = try world.writeUnits([
        "web.socket": "[Socket]\nListenStream=0.0.0.0:8001\n", "web.service": "[Service]\nExecStart=/bin/false\n",
      ])
      try world.addDebian("web", image: "trixie", units: units, "ListenStream=8001")
      try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.hasEnded())
      let status = try world.status("web")
      #expect(status.sockets.map(\.adopted) == [false])
      let messages = status.messages.map(\.text).joined(separator: "\n")
      #expect(messages.contains("0.0.0.0:8001"))
      #expect(messages.contains("nobody in the guest serves at"))
    }
  }

  @Test("a guest without an enabled socket unit produces a warning, and its clients do not hang")
  func notEnabled() throws {
    try World.with { world in
      let units = try world.writeUnits(["other.service": "[Service]\nExecStart=/bin/true\n"])
      try world.addDebian("web", image: "bookworm", units: units, "ListenStream=127.0.0.1:8001")
      try world.startDaemon()
      #expect(try world.connect("127.0.0.1:8001").hasEnded())
      #expect(try world.status("web").messages.isEmpty == false)
    }
  }

  @Test("a guest whose unit gets some of its addresses serves these, with a warning about the others")
  func partial() throws {
    try World.with { world in
      let units = try world.writeUnits([
        "web.socket": "[Socket]\nListenStream=127.0.0.1:8001\nListenStream=127.0.0.1:8002\n",
        "web.service": "[Service]\nExecStart=/usr/local/bin/tiny-init\n",
      ])
      try world.addDebian("web", image: "trixie", units: units, "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      try daemon.until("the warning is logged") { daemon.log.contains("127.0.0.1:8002: web.socket gets sockets") }
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      try world.wake("web")
      #expect(try world.status("web").sockets.map(\.adopted) == [true])
      #expect(throws: (any Error).self) { try world.connect("127.0.0.1:8002") }
    }
  }

  @Test("a guest whose service fails until its socket hits the trigger limit is stopped, and wakes after a pause")
  func triggerLimit() throws {
    try World.with { world in
      // The service fails after the guest has started, and at its fourth failure systemd closes the socket.
      let units = try world.writeUnits([
        "web.socket": "[Socket]\nListenStream=127.0.0.1:8001\nTriggerLimitIntervalSec=60s\nTriggerLimitBurst=3\n",
        "web.service": "[Service]\nExecStart=/bin/sh -c 'systemctl is-system-running --wait; exit 1'\n",
      ])
      try world.addDebian(
        "web", image: "trixie", units: units, "ListenStream=127.0.0.1:8001", settings: "[Guest]\nIdleStopSec=500ms")
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      try daemon.until("the guest was stopped and is paused") { try world.summary("web").state == .failed }
      #expect(daemon.log.contains("the guest closed 127.0.0.1:8001"))
      withExtendedLifetime(client) {}
    }
  }

  /// The unit hello.socket with `path` instead of its AF_UNIX address.
  private func helloUnits(_ world: World, path: String) throws -> String {
    let source = Payload.units("hello")
    let socket = text(of: source + "/hello.socket").replacingOccurrences(of: "/run/hello.sock", with: path)
    let kept = path == "/run/none" ? socket.replacingOccurrences(of: "ListenStream=/run/none\n", with: "") : socket
    return try world.writeUnits(["hello.socket": kept, "hello.service": text(of: source + "/hello.service")])
  }
}

extension World {
  /// Runs a command in the namespaces of a guest's PID 1.
  func enter(_ pid: Int32, _ arguments: String...) throws -> Outcome {
    try run(["nsenter", "--target", "\(pid)", "--all"] + arguments)
  }

  /// Waits until the guest was woken `number` times and is ready.
  func waitForWake(_ name: String, number: Int) throws {
    guard let daemon else { throw Trouble("no daemon is running") }
    try daemon.until("\(name) is awake for the \(number)th time") {
      let now = try summary(name)
      return now.wakes == number && now.state == .active
    }
  }
}
