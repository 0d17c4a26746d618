import ControlProtocol
import Glibc
import Linux
import Testing

@Suite("A guest file with an error")
struct BrokenFileTests {
  @Test("a guest whose file has an error is listed with the line, and a reload that meets one fails and names it")
  func listed() throws {
    try World.with { world in
      try world.addGuest("bad", "[Exec]\nBoot=perhaps\n")
      try world.addTiny("good", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      let line = "\(world.config)/bad.guest:2: Boot=perhaps: not a boolean"
      let bad = try world.summary("bad")
      #expect(bad.state == .badSetting && bad.note?.hasPrefix(line) == true)
      let list = try world.dormouse("list").output
      #expect(list.contains("bad-setting") && list.contains("\nbad: \(line)"), "\(list)")
      #expect(try world.status("bad").messages.map(\.level) == [.error])
      #expect(try world.why("bad").reasons.first?.hasPrefix(line) == true)
      let wake = try world.dormouse("wake", "bad")
      #expect(wake.status == 1 && wake.errors.contains(line), "\(wake.errors)")
      #expect(try world.dormouse("wake", "worse").errors.contains("there is no guest worse"))

      try world.addTiny("bad", "ListenStream=127.0.0.1:8002")
      #expect(try world.dormouse("reload").status == 0)
      #expect(try world.ask("127.0.0.1:8002", "hello") == "hello")
      // One that is managed goes on with its old file.
      try world.addGuest("good", "[Exec]\nBoot=perhaps\n")
      let reload = try world.dormouse("reload")
      #expect(
        reload.status == 1 && reload.errors.contains("\(world.config)/good.guest:2: Boot=perhaps"), "\(reload.errors)")
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      #expect(try world.summary("good").note?.hasPrefix("its old file stays in force: ") == true)
      #expect(try daemon.stop() == .exited(0))
    }
  }

  @Test("a daemon for one guest does not run without it, and says why", arguments: [nil, "[Exec]\nBoot=perhaps\n"])
  func named(file: String?) throws {
    try World.with { world in
      if let file { try world.addGuest("web", file) }
      let outcome = try world.run(Built.dormoused, "--config", world.config, "--runtime", world.runtime, "web")
      #expect(outcome.status == EX_CONFIG)
      #expect(
        outcome.errors.contains(
          file == nil ? "there is no file web.guest in \(world.config)" : "web.guest:2: Boot=perhaps"), "\(outcome)")
      #expect(access("\(world.runtime)/io.dormouse", F_OK) != 0)
    }
  }

  @Test("an error in dormoused.conf fails a reload, which names the line and leaves the old values in force")
  func daemonFile() throws {
    try World.with { world in
      let path = "\(world.config)/dormoused.conf"
      try writeFile(path, "[Daemon]\nMaxConcurrentStarts=1\n")
      try world.addTiny("first", "ListenStream=127.0.0.1:8001", arguments: [])
      try world.addTiny("second", "ListenStream=127.0.0.1:8002")
      try world.startDaemon()
      try writeFile(path, "[Daemon]\nMaxConcurrentStarts=many\nKeepFree=none\n")
      let reload = try world.dormouse("reload")
      #expect(reload.status == 1, "\(reload)")
      #expect(reload.errors.contains("\(path):2: MaxConcurrentStarts=many"), "\(reload.errors)")
      #expect(reload.errors.contains("(and 1 more; see `dormouse check`)"), "\(reload.errors)")
      let clients = try world.connectInTurn("127.0.0.1:8001", "127.0.0.1:8002", to: "second")
      try writeFile(path, "[Daemon]\n")
      #expect(try world.dormouse("reload").status == 0)
      withExtendedLifetime(clients) {}
    }
  }

  @Test("a second daemon says that another one uses its runtime directory")
  func second() throws {
    try World.with { world in
      let daemon = try world.startDaemon()
      let outcome = try world.run(Built.dormoused, "--config", world.config, "--runtime", world.runtime)
      #expect(outcome.status == EXIT_FAILURE)
      #expect(
        outcome.errors.contains("another dormoused uses \(world.runtime); stop it, or give another --runtime"),
        "\(outcome)")
      #expect(try daemon.stop() == .exited(0))
    }
  }

  @Test("a daemon that a user starts says that it needs root")
  func user() throws {
    try World.with { world in
      let program = world.directory + "/dormoused"
      try copyProgram(Built.dormoused, to: program)
      let outcome = try world.run("setpriv", "--reuid=65534", "--clear-groups", program)
      #expect(outcome.status == EX_NOPERM && outcome.errors.contains("must run as root"), "\(outcome)")
    }
  }
}
