import ControlProtocol
import Glibc
import Testing

@Suite("Output and notifications of a guest")
struct ConsoleTests {
  @Test("the daemon keeps the last console output of a guest, and the output never blocks the guest")
  func console() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("print 3000000") == "ok")
      #expect(try client.ask("write /dev/console the last words") == "ok")
      let console = try world.console("echo")
      #expect(console.hasSuffix("the last words"))
      #expect(console.utf8.count <= 64 * 1024)
      #expect(console.utf8.count > 32 * 1024)
    }
  }

  @Test("guests are served and stopped while one of them writes to its console without end")
  func flood() throws {
    try World.with { world in
      try world.addTiny("loud", "ListenStream=127.0.0.1:8001", settings: "[Guest]\nTimeoutStopSec=1s")
      try world.addTiny("echo", "ListenStream=127.0.0.1:8002")
      try world.startDaemon()
      try world.connect("127.0.0.1:8001").send("flood")
      #expect(try world.ask("127.0.0.1:8002", "hello") == "hello")
      try world.daemon?.until("the console is flooded") { try world.console("loud").isEmpty == false }
      try world.sleep("loud")
      #expect(try world.summary("loud").state == .inactive)
      // None of the output was written to a file.
      #expect(try world.run("du", "--summarize", "--bytes", world.runtime).output.split(separator: "\t")[0].count <= 6)
    }
  }

  @Test("the status shows what PID 1 of a guest sends to its notify socket, and messages of others are ignored")
  func notify() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      let lines = [
        "STATUS=counting sheep", "ERRNO=5", "X_SYSTEMD_SIGNALS_LEVEL=2", "X_SYSTEMD_HOSTNAME=burrow",
        "X_SYSTEMD_MACHINE_ID=0123456789abcdef0123456789abcdef", "X_SYSTEMD_UNIT_ACTIVE=basic.target", "UNKNOWN=1",
      ]
      #expect(try client.ask("notify " + lines.joined(separator: "|")) == "ok")
      try daemon.until("the message has arrived") { try world.status("echo").report?.status == "counting sheep" }
      let report = try #require(try world.status("echo").report)
      #expect(report.errno == 5)
      #expect(report.signalsLevel == 2)
      #expect(report.hostname == "burrow")
      #expect(report.machineID == "0123456789abcdef0123456789abcdef")
      #expect(report.units == ["basic.target"])

      // Messages of processes other than PID 1 are ignored, even of those in the guest.
      let pid = try #require(try world.summary("echo").pid)
      let liar = try world.run(
        "env", "NOTIFY_SOCKET=/run/host/notify", "nsenter", "--target", "\(pid)", "--all", "/sbin/init",
        "--do=notify STATUS=a lie", "--do=exit 0")
      #expect(liar.succeeded, "\(liar.errors)")
      try daemon.until("the message was ignored") { try world.status("echo").counters[.notifyRefused] == 1 }
      #expect(try world.status("echo").report?.status == "counting sheep")
    }
  }

  @Test("the last output and notifications of a guest before its end are received completely")
  func lastWords() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("hello") == "hello")
      // When the daemon continues, all messages and the end of the guest are pending.
      try stop(daemon.pid)
      defer { kill(daemon.pid, SIGCONT) }
      for number in 1...9 { #expect(try client.ask("notify STATUS=\(number)|ERRNO=5") == "ok") }
      #expect(try client.ask("notify EXIT_STATUS=7") == "ok")
      #expect(try client.ask("print 6000") == "ok")
      #expect(try client.ask("write /dev/console the last words") == "ok")
      try client.send("exit 7")
      #expect(try client.hasEnded())
      kill(daemon.pid, SIGCONT)
      try daemon.until("the end of the guest is recorded") { try world.status("echo").lastStop?.exitStatus == 7 }
      #expect(try world.status("echo").report?.status == "9")
      #expect(try world.status("echo").report?.exitStatus == 7)
      #expect(try world.console("echo").hasSuffix("the last words"))
      // A repeated error is logged once.
      #expect(daemon.log.split(separator: "\n").count { $0.contains("reports error 5") } == 1)
    }
  }
}
