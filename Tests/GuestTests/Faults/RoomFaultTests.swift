import Foundation
import Glibc
import Testing

@Suite("Without room")
struct RoomFaultTests {
  @Test("in the cgroup tree, a start is told and paused, at whichever of its cgroups, and made good when there is some")
  func cgroups() throws {
    try World.with { world in
      for left in 0..<3 { try world.addTiny("g\(left)", "ListenStream=127.0.0.1:\(8100 + left)") }
      let daemon = try world.startDaemon()
      // A guest has two: its own, and the payload's in it.
      let limit = world.cgroup + "/cgroup.max.descendants"
      let before = names(in: world.cgroup).filter { access("\(world.cgroup)/\($0)/cgroup.procs", F_OK) == 0 }.count
      for left in 0..<3 {
        try set(limit, to: "\(before + left)")
        let client = try world.connect("127.0.0.1:\(8100 + left)")
        try daemon.until("g\(left) was given a pause, or is ready") {
          daemon.log.contains("g\(left): cannot start: ") || daemon.log.contains("g\(left): ready")
        }
        try set(limit, to: "max")
        #expect(try client.ask("hello \(left)") == "hello \(left)")
        // No other may take the room that the next one is to have.
        try world.sleep("g\(left)")
      }
      for left in 0..<2 { #expect(daemon.log.contains("g\(left): cannot start: mkdir")) }
      #expect(!daemon.log.contains("g2: cannot start: "))
      #expect(Cgroups.processes(below: world.cgroup) == [daemon.pid])
    }
  }

  @Test("where a guest's scratch directory is to be, a start is told and paused, and made good when there is some")
  func scratch() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Exec]\nEphemeral=yes")
      // A mount namespace of the daemon's own: this machine's /var/tmp is everybody's.
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
