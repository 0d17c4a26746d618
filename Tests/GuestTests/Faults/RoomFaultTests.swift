import Foundation
import Glibc
import Testing

@Suite("A daemon without room for cgroups or directories")
struct RoomFaultTests {
  @Test("a start that exceeds the limit of cgroups is logged and paused, and succeeds when there is room")
  func cgroups() throws {
    try World.with { world in
      for left in 0..<3 { try world.addTiny("g\(left)", "ListenStream=127.0.0.1:\(8100 + left)") }
      let daemon = try world.startDaemon()
      // A guest has two cgroups: its own, and that of the payload in it.
      let limit = world.cgroup + "/cgroup.max.descendants"
      let before = names(in: world.cgroup).filter { access("\(world.cgroup)/\($0)/cgroup.procs", F_OK) == 0 }.count
      for left in 0..<3 {
        try set(limit, to: "\(before + left)")
        let client = try world.connect("127.0.0.1:\(8100 + left)")
        try daemon.until("g\(left) is paused or ready") {
          daemon.log.contains("g\(left): cannot start: ") || daemon.log.contains("g\(left): ready")
        }
        try set(limit, to: "max")
        #expect(try client.ask("hello \(left)") == "hello \(left)")
        // No other cgroup may use the room for the next one.
        try world.sleep("g\(left)")
      }
      for left in 0..<2 { #expect(daemon.log.contains("g\(left): cannot start: mkdir")) }
      #expect(!daemon.log.contains("g2: cannot start: "))
      #expect(Cgroups.processes(below: world.cgroup) == [daemon.pid])
    }
  }

  @Test("a start without room for its scratch directory is logged and paused, and succeeds when there is some")
  func scratch() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Exec]\nEphemeral=yes")
      // The daemon gets its own mount namespace, because other programs use the /var/tmp of this machine.
      let full = "mount -t tmpfs -o nr_inodes=1 none /var/tmp && exec \"$0\" \"$@\""
      let daemon = try world.startDaemon(under: ["unshare", "--mount", "--propagation=private", "sh", "-c", full])
      let client = try world.connect("127.0.0.1:8001")
      try daemon.waitForLog("No space left on device; pausing")
      try require(
        "nsenter", "--target", "\(daemon.pid)", "--mount", "mount", "-o", "remount,nr_inodes=10000", "/var/tmp")
      #expect(try client.ask("hello") == "hello")
      #expect(try daemon.stop() == .exited(0))
    }
  }

  private func set(_ file: String, to value: String) throws {
    try value.write(toFile: file, atomically: false, encoding: .utf8)
  }
}
