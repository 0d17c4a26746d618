import Glibc
import Testing

@Suite("A guest whose processes cannot be listed")
struct ThreadedCgroupTests {
  @Test(
    "a guest with a threaded cgroup that outlives a killed daemon is found and stopped by the next one, and its port is served"
  )
  func orphan() throws {
    try World.with { world in
      let root = try world.makeTinyRoot("bad")
      try copyProgram(try Payload.attack("threaded"), to: root + "/sbin/threaded")
      try world.addTiny(
        "bad", "ListenStream=127.0.0.1:8001", settings: "[Exec]\nParameters=\nParameters=/sbin/threaded")
      let daemon = try world.startDaemon()
      try world.wake("bad")
      daemon.child.signal(SIGKILL)
      #expect(daemon.child.wait() == .killed(SIGKILL))
      let next = try world.startDaemon()
      try next.waitForLog("bad: found running as process")
      try world.wait("bad", .inactive)
      #expect(!next.log.contains("cannot enumerate running guests"))
      try world.wake("bad")
    }
  }
}
