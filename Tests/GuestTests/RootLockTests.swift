import Foundation
import Glibc
import Testing

/// Two systems on one tree, one of which writes to it. The lock is systemd-nspawn's own.
@Suite("A root that another system uses")
struct RootLockTests {
  /// Adds a tiny guest whose root systemd-nspawn accepts too.
  private func add(
    _ name: String, _ port: Int, arguments: [String] = ["--ready"], settings: String = "", to world: World
  ) throws -> String {
    try world.addTiny(name, "ListenStream=127.0.0.1:\(port)", arguments: arguments, settings: settings)
    mkdir(world.root(of: name) + "/usr", 0o755)
    return world.root(of: name)
  }

  /// The command of a container that ends at once, or with `stays` runs on.
  private func nspawn(_ root: String, _ options: [String] = [], stays: Bool = false) -> [String] {
    ["systemd-nspawn", "--quiet", "--settings=no", "--keep-unit", "--register=no", "-D", root] + options
      + ["/sbin/init", stays ? "--stop=exit" : "--do=exit 0"]
  }

  @Test("a guest does not start in a root that systemd-nspawn uses, the message says so, and it starts afterwards")
  func after() throws {
    try World.with { world in
      let root = try add("echo", 8001, to: world)
      let container = try world.start(nspawn(root, stays: true))
      try eventually("systemd-nspawn has locked the root") { access("\(world.directory)/.#root-echo.lck", F_OK) == 0 }
      let daemon = try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      let words =
        "Directory=: systemd-nspawn, machinectl or another dormoused uses \(root) and has locked it; stop that, or "
        + "give this guest its own copy; pausing for "
      try daemon.waitForLog(words + "500 ms")
      try daemon.waitForLog(words + "1.0 s")
      #expect(container.isRunning)
      container.signal(SIGKILL)
      _ = container.wait()
      #expect(try client.ask("mended") == "mended")
    }
  }

  /// Whether systemd-nspawn finds the root locked.
  private func isBusy(_ world: World, _ root: String, _ options: String...) throws -> Bool {
    let outcome = try world.run(nspawn(root, options))
    if !outcome.succeeded { #expect(outcome.errors.contains("Directory tree \(root) is currently busy")) }
    return !outcome.succeeded
  }

  @Test("systemd-nspawn does not start in the root of a guest until the guest has stopped, or was killed")
  func before() throws {
    try World.with { world in
      let root = try add("echo", 8001, to: world)
      let daemon = try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      #expect(try isBusy(world, root))
      #expect(try isBusy(world, root, "--read-only"))
      try world.sleep("echo")
      #expect(try !isBusy(world, root))
      #expect(try world.ask("127.0.0.1:8001", "again") == "again")
      #expect(try isBusy(world, root))
      kill(try world.leader(of: "echo"), SIGKILL)
      try eventually("the guest has stopped") { try !isBusy(world, root) }
      #expect(try daemon.stop() == .exited(0))
      #expect(!names(in: world.directory).contains { $0.hasSuffix(".lck") })
    }
  }

  @Test("the daemon after a killed one locks the roots of the guests that still run")
  func orphan() throws {
    try World.with { world in
      // It does not heed the next daemon's stop.
      let root = try add("echo", 8001, arguments: ["--ready", "--stop=ignore"], to: world)
      let daemon = try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      daemon.child.signal(SIGKILL)
      _ = daemon.child.wait()
      try world.startDaemon()
      let leader = try world.leader(of: "echo")
      #expect(try isBusy(world, root))
      kill(leader, SIGKILL)
      try eventually("the guest has stopped") { try !isBusy(world, root) }
    }
  }

  @Test("of two guests that write to one root the second is refused while the first runs, and the message names that")
  func guests() throws {
    try World.with { world in
      let root = try add("first", 8001, to: world)
      for (name, port, files) in [("second", 8002, ""), ("third", 8003, "Volatile=overlay")] {
        try world.addTiny(
          name, "ListenStream=127.0.0.1:\(port)", settings: "[Files]\n\(files)\n[Guest]\nDirectory=\(root)")
      }
      try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      for name in ["second", "third"] {
        #expect(
          try world.dormouse("wake", name).errors.contains(
            "Directory=: the guest first uses \(root), and two systems on a tree to which one writes soon break it; give "
              + "each its own copy, or write Volatile=overlay in [Files] of both"))
      }
      try world.sleep("first")
      #expect(try world.ask("127.0.0.1:8002", "hello") == "hello")
    }
  }

  @Test("guests that do not write to their common root run together, with a systemd-nspawn that does not either")
  func shared() throws {
    try World.with { world in
      let root = try add("first", 8001, settings: "[Files]\nVolatile=overlay", to: world)
      for (name, settings) in [
        ("second", "[Files]\nVolatile=state"), ("third", "[Files]\nReadOnly=yes"), ("fourth", "[Exec]\nEphemeral=yes"),
      ] {
        try world.addTiny(name, settings: settings + "\n[Guest]\nDirectory=\(root)")
      }
      try world.startDaemon()
      for name in ["first", "second", "third", "fourth"] { try world.wake(name) }
      #expect(try world.run(nspawn(root, ["--volatile=overlay"])).succeeded)
      #expect(try !world.run(nspawn(root)).succeeded)
      for name in ["first", "second", "third", "fourth"] { try world.sleep(name) }
      #expect(try world.run(nspawn(root)).succeeded)
    }
  }
}
