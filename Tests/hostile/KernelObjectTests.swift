import Foundation
import Glibc
import Testing

/// Guests that take what the kernel has only a bounded number of: `Tests/hostile/attacks/objects.c`.
// One after the other: what they take must be free again before the next test.
@Suite("A guest that takes all kernel objects of a kind", .serialized)
struct KernelObjectTests {
  /// Adds a guest that takes objects of the kind `what`; `most` of them are enough for it.
  private func add(_ name: String, _ what: String, most: Int, to world: World) throws {
    let root = try world.makeTinyRoot(name)
    try copyProgram(try Payload.attack("objects"), to: root + "/sbin/init")
    try world.addGuest(
      name,
      """
      [Exec]
      Boot=no
      NotifyReady=yes
      KillSignal=SIGTERM
      Parameters=/sbin/init \(what) \(most)
      [Guest]
      Directory=\(root)
      IdleStopSec=infinity
      """)
  }

  @Test("a guest that makes 30,000 cgroups gets fewer than 1000, a neighbour wakes, and nothing of it is left")
  func cgroups() throws {
    try World.with { world in
      try add("bad", "cgroups", most: 30_000, to: world)
      try world.addTiny("good")
      try world.startDaemon()
      try world.wake("bad")
      #expect(try world.console("bad").contains("took 999: Resource temporarily unavailable"))
      let cgroup = world.cgroup(of: "bad")
      #expect(Cgroups.tree(cgroup).count == 1001)
      try world.wake("good")
      try world.sleep("bad")
      #expect(access(cgroup, F_OK) == -1)
    }
  }

  @Test("a guest that opens 4093 terminals gets 255, and meanwhile another guest starts")
  func terminals() throws {
    try World.with { world in
      try add("bad", "terminals", most: 4093, to: world)
      try world.addTiny("good")
      try world.startDaemon()
      try world.wake("bad")
      #expect(try world.console("bad").contains("took 255: No space left on device"))
      try world.wake("good")
      try world.sleep("bad")
    }
  }

  @Test("inotify instances of guests are not those of the host's root: two guests have 100 each, and root gets one")
  func inotify() throws {
    try World.with { world in
      for name in ["bad", "worse"] { try add(name, "inotify", most: 100, to: world) }
      try world.startDaemon()
      for name in ["bad", "worse"] {
        try world.wake(name)
        #expect(try world.console(name).contains("took 100: enough"))
      }
      let own = inotify_init1(Int32(IN_CLOEXEC))
      #expect(own >= 0)
      close(own)
      for name in ["bad", "worse"] { try world.sleep(name) }
    }
  }
}
