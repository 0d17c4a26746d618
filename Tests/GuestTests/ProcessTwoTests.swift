import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("The setting ProcessTwo=")
struct ProcessTwoTests {
  private static let setting = "[Exec]\nProcessTwo=yes\n"

  @Test("the program of ProcessTwo= is PID 2, gets sockets, notifies, stops and wakes", arguments: ["no", "pick"])
  func whole(users: String) throws {
    try World.with { world in
      // The range of users is derived from the name.
      let name = "two-\(world.name)"
      try world.addTiny(name, "ListenStream=127.0.0.1:8001", settings: Self.setting + "PrivateUsers=\(users)")
      let daemon = try world.startDaemon()
      for wake in 1...2 {
        let client = try world.connect("127.0.0.1:8001")
        #expect(try client.ask("pid") == "2")
        let environment = try client.askList("env")
        #expect(environment.contains("LISTEN_PID=2") && environment.contains("LISTEN_FDS=1"), "\(environment)")
        #expect(try client.askList("fds").count == 4)
        #expect(try client.ask("read /proc/1/comm") == "dormouse-init")
        let status = try world.status(name)
        #expect(status.state == .active && status.report?.ready == true)
        #expect(status.wakes == wake)
        // Process 1 does not have the sockets.
        #expect(names(in: "/proc/\(try #require(status.pid))/fd").sorted() == ["0", "1", "2"])
        client.close()
        try world.sleep(name)
        let stop = try #require(try world.status(name).lastStop)
        #expect(!stop.killed && stop.cause == .request)
      }
      #expect(daemon.log.contains("SIGRTMIN+3"), "\(daemon.log)")
    }
  }

  @Test("process 1 of a Debian guest with ProcessTwo= reaps orphaned processes", arguments: ["trixie"])
  func orphans(image: String) throws {
    try World.with { world in
      let orphan = "(/bin/sh -c 'exit 3' &); exec /usr/local/bin/tiny-init --ready"
      try world.addDebian(
        "deb", image: image, units: nil, "ListenStream=127.0.0.1:8001",
        settings: "[Exec]\nBoot=no\nProcessTwo=yes\nNotifyReady=yes\nParameters=/bin/sh -c \"\(orphan)\"")
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("pid") == "2")
      try daemon.until("the orphan is reaped") {
        try client.ask("read /proc/1/task/1/children").trimmingCharacters(in: .whitespaces) == "2"
      }
      client.close()
      try world.sleep("deb")
      #expect(try world.status("deb").lastStop?.killed == false)
    }
  }

  @Test("the exit status 0 of the program of ProcessTwo= counts as a power-off, and others count as a crash")
  func status() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: Self.setting)
      let daemon = try world.startDaemon()
      try world.connect("127.0.0.1:8001").send("exit 0")
      try daemon.until("the program ended") { try world.status("echo").lastStop?.cause == .shutdown }
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
      try world.connect("127.0.0.1:8001").send("exit 7")
      try daemon.until("the program ended with status 7") { try world.status("echo").lastStop?.cause == .crash }
      #expect(daemon.log.contains("exited with 7"), "\(daemon.log)")
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
    }
  }

  @Test("the signals of machinectl to process 1 power off and reboot a guest with ProcessTwo=")
  func machinectl() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: Self.setting)
      let daemon = try world.startDaemon()
      try world.wake("echo")
      kill(try #require(try world.summary("echo").pid), SIGINT)
      try daemon.until("the guest was started again") { try world.summary("echo").wakes == 2 }
      try world.wait("echo", .active)
      kill(try #require(try world.summary("echo").pid), __libc_current_sigrtmin() + 4)
      try daemon.until("the guest powered off") { try world.status("echo").lastStop?.cause == .shutdown }
      try world.wait("echo", .inactive)
    }
  }

  @Test("the next daemon stops the orphaned guest with ProcessTwo= of a killed daemon, and its socket is the same")
  func killedDaemon() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: Self.setting)
      let first = try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "pid") == "2")
      let pid = try #require(try world.summary("echo").pid)
      first.child.signal(SIGKILL)
      #expect(first.child.wait() == .killed(SIGKILL))
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      try daemon.until("the orphan of the killed daemon has stopped") { try world.summary("echo").pid != pid }
      #expect(try client.ask("pid") == "2")
    }
  }

  @Test("the program of ProcessTwo= gets everything that the Container Interface specifies for process 1")
  func interface() throws {
    try World.with { world in
      try world.addTiny("small", "ListenStream=127.0.0.1:24182", settings: Self.setting)
      try world.startDaemon()
      try world.wake("small")
      let outcome = try world.dormouse("interface", "small")
      #expect(outcome.succeeded, "\(outcome.output)")
    }
  }

  @Test("a program of ProcessTwo= that cannot be executed is reported, and its init ends")
  func missing() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: Self.setting + "Parameters=\nParameters=/none")
      let daemon = try world.startDaemon()
      let outcome = try world.dormouse("wake", "echo")
      #expect(outcome.errors.contains("executing /none: No such file or directory"), "\(outcome.errors)")
      #expect(Cgroups.processes(below: world.cgroup) == [daemon.pid])
    }
  }
}
