import Foundation
import Glibc
import Testing

@testable import Linux

/// A guest whose root answers for its systemd: what asks it is bounded, and has nothing to lose. `attacks/bus.c` is its PID 1.
@Suite("A hostile guest that is asked about its units")
struct AskerTests {
  /// How the guest's bus behaves, how dormouse-ask ends, and what it says.
  struct Attack: Sendable, CustomTestStringConvertible {
    let mode: String
    let ending: Child.Ending
    let words: String

    var testDescription: String { mode }

    static let all = [
      Attack(mode: "silent", ending: .killed(SIGALRM), words: ""),
      Attack(mode: "slow", ending: .killed(SIGALRM), words: ""),
      Attack(mode: "huge", ending: .exited(1), words: "Cannot allocate memory"),
      Attack(mode: "full", ending: .exited(1), words: "No such file or directory"),
      Attack(mode: "link", ending: .exited(1), words: "No such file or directory"),
      Attack(mode: "stranger", ending: .exited(1), words: "Operation not permitted"),
    ]
  }

  @Test(
    "whatever the guest's bus does, the question ends, and the daemon answers for this guest and for its neighbour",
    arguments: Attack.all)
  func bounded(attack: Attack) throws {
    try World.with { world in
      try addGuest(world, mode: attack.mode)
      try world.addTiny("good", "ListenStream=127.0.0.1:8001")
      try world.startDaemon()
      try world.wake("bad")
      let pid = try #require(try world.summary("bad").pid)
      try eventually("the bus is there") { try world.console("bad").contains("the bus is there") }
      let outcome = try world.run(Built.directory + "/dormouse-ask", "\(pid)")
      #expect(outcome.ending == attack.ending && outcome.output == "", "\(outcome)")
      #expect(attack.words.isEmpty || outcome.errors.contains(attack.words), "\(outcome.errors)")
      // The daemon asks as well, and is not kept from anything by it.
      let status = try world.start([Built.dormouse, "status", "bad", "--json", "--runtime", world.runtime])
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      #expect(status.wait() == .exited(0))
      #expect(try world.status("bad").report?.failedUnits.isEmpty != false)
    }
  }

  @Test("a socket of the host's that lies where the guest's bus is expected gets no byte")
  func hostSocket() throws {
    try World.with { world in
      let path = world.directory + "/bus"
      let victim = OwnedFD(owning: try listenAt(path))
      try addGuest(world, mode: "silent", settings: "[Files]\nBind=\(path):/run/systemd/private\n", isWithoutBus: true)
      try world.startDaemon()
      try world.wake("bad")
      let pid = try #require(try world.summary("bad").pid)
      let outcome = try world.run(Built.directory + "/dormouse-ask", "\(pid)")
      #expect(outcome.ending == .exited(1) && outcome.errors.contains("Operation not permitted"), "\(outcome)")
      let raw = accept(victim.raw, nil, nil)
      #expect(raw >= 0)
      var byte: UInt8 = 0
      #expect(read(raw, &byte, 1) == 0)
      close(raw)
    }
  }

  @Test("what a guest stops of those who ask it does not outlive the question")
  func stopped() throws {
    try World.with { world in
      try addGuest(world, mode: "stop")
      try world.startDaemon()
      try world.wake("bad")
      let pid = try #require(try world.summary("bad").pid)
      try eventually("the bus is there") { try world.console("bad").contains("the bus is there") }
      try eventually("the guest has stopped who asks") {
        try world.run(Built.directory + "/dormouse-ask", "\(pid)").ending == .killed(SIGALRM)
      }
      try eventually("nobody is left of those who asked") {
        !Cgroups.processes(below: world.cgroup).contains { text(of: "/proc/\($0)/comm") == "dormouse-ask\n" }
      }
    }
  }

  private func listenAt(_ path: String) throws -> Int32 {
    let raw = try retrying("socket") { socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0) }
    try retrying("bind") { SocketAddress.path(path).withSockaddr { bind(raw, $0, $1) } ?? -1 }
    try retrying("listen") { listen(raw, 8) }
    chmod(path, 0o777)
    return raw
  }

  /// A guest that the daemon takes for one with an init, and asks.
  private func addGuest(_ world: World, mode: String, settings: String = "", isWithoutBus: Bool = false) throws {
    let root = try world.makeTinyRoot("bad")
    if !isWithoutBus { try copyProgram(try Payload.attack("bus"), to: root + "/sbin/init") }
    try world.addGuest(
      "bad",
      """
      [Exec]
      Boot=yes
      NotifyReady=no
      Parameters=\(mode)
      \(settings)
      [Guest]
      Directory=\(root)
      IdleStopSec=infinity
      TimeoutStopSec=1s
      """)
  }
}
