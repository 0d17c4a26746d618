import Foundation
import Glibc
import Testing

@Suite("dormouse console")
struct TerminalTests {
  /// Adds a guest with this host's /usr whose process 1 is a shell on its console.
  private static func addShell(_ world: World, settings: String = "") throws {
    try world.addGuest(
      "shell",
      """
      [Exec]
      Boot=no
      Parameters=/bin/sh
      KillSignal=SIGKILL
      [Files]
      Volatile=yes
      [Socket]
      ListenStream=127.0.0.1:8001
      [Guest]
      Directory=/
      IdleStopSec=infinity
      \(settings)
      """)
    try world.startDaemon()
    try world.wake("shell")
  }

  @Test("`dormouse console` connects a terminal to the guest's, with its size, until Ctrl-] is pressed three times")
  func attaches() throws {
    try World.with { world in
      try Self.addShell(world)
      let sitting = try world.sit(
        at: "shell", [], #"type=stty size; echo ans''wer $((6*7))\r"#, "see=40 100", "see=answer 42",
        // Ctrl-C is a character for the guest and no signal here; two presses of Ctrl-] do not disconnect.
        #"type=\x03\x1d\x1d#\r"#, #"type=echo still $((4+4))\r"#, "see=still 8",
        "size=50x120", #"type=until test "$(stty size)" = "50 120"; do sleep 0.1; done; echo re''sized\r"#,
        "see=resized",
        "run=\(Built.dormouse) --runtime \(world.runtime) sleep shell; \(Built.dormouse) --runtime \(world.runtime) why shell",
        World.leave, "see=disconnected from shell, which keeps running", "end")
      #expect(sitting.trouble == nil && sitting.status == 0 && sitting.restored, "\(sitting)")
      #expect(
        sitting.elsewhere.contains("cannot stop shell: somebody is attached to one of its terminals"), "\(sitting)")
      #expect(
        sitting.elsewhere.components(separatedBy: "somebody is attached to one of its terminals").count == 3,
        "\(sitting)")
      #expect(try world.console("shell").contains("answer 42"))
      // A later session shows earlier output, and the first session has ended.
      let second = try world.sit(at: "shell", [], "see=resized", World.leave, "end")
      #expect(second.trouble == nil && second.restored, "\(second)")
      try world.daemon?.until("no session is open") {
        try world.why("shell").reasons.contains("somebody is attached to one of its terminals") == false
      }
    }
  }

  @Test("a session of `dormouse console` keeps its guest awake")
  func veto() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Guest]\nIdleStopSec=1s")
      let daemon = try world.startDaemon()
      let go = world.directory + "/go"
      let sitting: Child
      do {
        let client = try world.connect("127.0.0.1:8001")
        #expect(try client.ask("write /dev/console here") == "ok")
        sitting = try world.start([
          "\(Built.source)/Tests/guests/sit", "25x80", "see=here", "run=while ! test -e \(go); do sleep 0.1; done",
          World.leave, "end", "--", Built.dormouse, "--runtime", world.runtime, "console", "echo",
        ])
        try daemon.until("a session is open") {
          try world.why("echo").reasons.contains("somebody is attached to one of its terminals")
        }
      }
      try daemon.until("the client has disconnected") { try world.status("echo").connections == 0 }
      #expect(try world.run("sleep", "3").succeeded)
      #expect(try world.summary("echo").state == .active)
      #expect(FileManager.default.createFile(atPath: go, contents: nil))
      #expect(sitting.wait() != nil)
      try world.wait("echo", .inactive)
      #expect(try world.status("echo").lastStop?.cause == .idle)
    }
  }

  @Test("`dormouse console` restores the terminal when the guest stops, a signal ends it, or the daemon ends")
  func restores() throws {
    try World.with { world in
      try Self.addShell(world)
      let killed = try world.sit(
        at: "shell", [], #"type=echo he''llo\r"#, "see=hello", "kill=TERM", "see=interrupted by a signal", "end")
      #expect(killed.trouble == nil && killed.status == 1 && killed.restored, "\(killed)")
      let ended = try world.sit(
        at: "shell", [], #"type=echo good''bye; exit\r"#, "see=goodbye", "see=terminal of shell was closed", "end")
      #expect(ended.trouble == nil && ended.status == 0 && ended.restored, "\(ended)")
      try world.wake("shell")
      let daemon = try #require(world.daemon)
      let gone = try world.sit(
        at: "shell", [], #"type=echo on''ce\r"#, "see=once", "run=kill -KILL \(daemon.pid)",
        "see=terminal of shell was closed",
        "end")
      #expect(gone.trouble == nil && gone.status == 0 && gone.restored, "\(gone)")
    }
  }

  @Test("`dormouse console` reports why it cannot connect: the guest sleeps or is frozen, or has no such terminal")
  func refused() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Guest]\nTerminals=2")
      try world.startDaemon()
      func refusal(_ arguments: String...) throws -> String {
        let outcome = try world.run([Built.dormouse, "console", "echo", "--runtime", world.runtime] + arguments)
        #expect(outcome.status == 1)
        return outcome.errors
      }
      #expect(try refusal().contains("it is not running; `dormouse wake echo` starts it"))
      try world.wake("echo")
      #expect(
        try refusal("--terminal", "3").contains("no terminal 3; besides the console it has 1 to 2"))
      #expect(try world.dormouse("freeze", "echo", "--now").succeeded)
      #expect(try refusal().contains("it is frozen; `dormouse thaw echo` thaws it"))
    }
  }

  @Test("a guest that was frozen although somebody is at its console is thawed by what he types")
  func typesToFrozen() throws {
    try World.with { world in
      try Self.addShell(world)
      let sitting = try world.sit(
        at: "shell", [], #"type=echo re''ady\r"#, "see=ready",
        "run=\(Built.dormouse) --runtime \(world.runtime) freeze shell --now && echo frozen",
        #"type=echo th''awed\r"#, "see=thawed", World.leave, "end")
      #expect(sitting.trouble == nil && sitting.elsewhere.contains("frozen"), "\(sitting)")
      #expect(try world.status("shell").counters[.freezes] == 1)
    }
  }

  @Test("output that nobody reads does not block a guest, and a terminal works again after a hangup")
  func drained() throws {
    try World.with { world in
      try Self.addShell(world, settings: "Terminals=1\n[Exec]\nPrivateUsers=no")
      let pid = try #require(try world.summary("shell").pid)
      #expect(try world.enter(pid, "dd", "if=/dev/zero", "of=/dev/pts/1", "bs=64k", "count=50").succeeded)
      // TIOCVHANGUP, which a getty uses, hangs up all open descriptors of the terminal, including the daemon's.
      let hangUp = "import fcntl, os; fcntl.ioctl(os.open('/dev/pts/1', os.O_RDWR | os.O_NOCTTY), 0x5437)"
      let hungUp = try world.enter(pid, "python3", "-c", hangUp)
      #expect(hungUp.succeeded, "\(hungUp.errors)")
      #expect(try world.enter(pid, "sh", "-c", "echo once more >/dev/pts/1").succeeded)
      let sitting = try world.sit(at: "shell", ["--terminal", "1"], "see=once more", World.leave, "end")
      #expect(sitting.trouble == nil && sitting.restored, "\(sitting)")
      // The daemon does not stay busy after that.
      let daemon = try #require(world.daemon)
      let before = Self.processorTime(daemon.pid)
      #expect(try world.run("sleep", "1").succeeded)
      #expect(Self.processorTime(daemon.pid) - before < 50)
    }
  }

  /// The processor time of a process in hundredths of a second (proc_pid_stat(5)).
  private static func processorTime(_ pid: Int32) -> Int {
    let fields = text(of: "/proc/\(pid)/stat").split(separator: ")").last?.split(separator: " ") ?? []
    return fields.count > 12 ? (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0) : 0
  }

  @Test(
    "systemd in a guest starts a login prompt on the console and on each terminal of Terminals=",
    arguments: ["no", "pick"])
  func gettys(privateUsers: String) throws {
    try World.with { world in
      try world.addDebian(
        "web", image: "trixie", "ListenStream=127.0.0.1:8001",
        settings: "Terminals=2\n[Exec]\nPrivateUsers=\(privateUsers)")
      try world.startDaemon()
      try world.wake("web")
      let pid = try #require(try world.summary("web").pid)
      #expect(text(of: "/proc/\(pid)/environ").split(separator: "\0").contains("container_ttys=pts/1 pts/2"))
      for terminal in [[], ["--terminal", "1"], ["--terminal", "2"]] {
        let sitting = try world.sit(at: "web", terminal, "see=login:", World.leave, "end")
        #expect(sitting.trouble == nil && sitting.status == 0 && sitting.restored, "\(sitting)")
      }
      let units = ["container-getty@1.service", "container-getty@2.service"]
      for unit in units { #expect(try world.enter(pid, "systemctl", "is-active", unit).succeeded, "\(unit)") }
      try world.sleep("web")
      #expect(try world.status("web").lastStop?.killed == false)
    }
  }
}

/// The result of a session at a terminal of a guest.
struct Sitting: Decodable {
  /// The step that timed out; nil if all succeeded.
  let trouble: String?
  let shown: String
  /// The output of the commands of `run=`.
  let elsewhere: String
  let status: Int?
  /// Whether the settings of the terminal were restored.
  let restored: Bool
}

extension World {
  /// The step that disconnects.
  static let leave = #"type=\x1d\x1d\x1d"#

  /// Runs a session at a terminal of the guest with `steps`, which `Tests/guests/sit` explains.
  func sit(at guest: String, _ arguments: [String] = [], _ steps: String...) throws -> Sitting {
    let outcome = try run(
      ["\(Built.source)/Tests/guests/sit", "40x100"] + steps
        + ["--", Built.dormouse, "console", guest, "--runtime", runtime] + arguments, seconds: 600)
    guard outcome.succeeded else { throw Trouble(outcome.errors) }
    return try JSONDecoder().decode(Sitting.self, from: Data(outcome.output.utf8))
  }
}
