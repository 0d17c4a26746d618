import Foundation
import Glibc
import Testing

@Suite("A file system that is nearly full")
struct SpaceTests {
  @Test("a guest whose changes would be written there does not start and says why, and others are served")
  func floor() throws {
    try World.with { world in
      try "[Daemon]\nKeepFree=20M\n".write(
        toFile: world.config + "/dormoused.conf", atomically: true, encoding: .utf8)
      try world.addTiny("copy", "ListenStream=127.0.0.1:8001", settings: "[Exec]\nEphemeral=yes")
      try world.addTiny("memory", "ListenStream=127.0.0.1:8002", settings: "[Files]\nVolatile=overlay")
      // A file system of its own as the daemon's /var/tmp.
      let image = world.directory + "/image"
      try require("truncate", "-s", "40M", image)
      try require("mkfs.ext4", "-q", "-m", "0", image)
      let script = "mount -o loop \(image) /var/tmp && exec \"$@\""
      let daemon = try world.startDaemon(
        under: ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"])
      let place = "/proc/\(daemon.pid)/root/var/tmp"
      try require("fallocate", "-l", "25M", place + "/fill")
      let outcome = try world.dormouse("wake", "copy")
      #expect(
        !outcome.succeeded && outcome.errors.contains("KeepFree= of dormoused.conf keeps 20.0M"), "\(outcome.errors)")
      #expect(names(in: place).sorted() == ["fill", "lost+found"])
      #expect(try world.ask("127.0.0.1:8002", "hello") == "hello")
      unlink(place + "/fill")
      try world.wake("copy")
      #expect(try world.ask("127.0.0.1:8001", "write /made x") == "ok")
    }
  }

  @Test("a limit of disk space that cannot be kept does not keep the guest from starting, and the log and check say so")
  func unlimited() throws {
    try World.with { world in
      try world.addTiny("own", "ListenStream=127.0.0.1:8001", settings: "DiskMax=8M")
      try world.addTiny("copy", "ListenStream=127.0.0.1:8002", settings: "DiskMax=8M\n[Exec]\nEphemeral=yes")
      // A file system without quota as the daemon's /var/tmp.
      let script = "mount -t tmpfs tmpfs /var/tmp && exec \"$@\""
      let daemon = try world.startDaemon(
        under: ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"])
      for port in [8001, 8002] { #expect(try world.ask("127.0.0.1:\(port)", "hello") == "hello") }
      try daemon.waitForLog("own: DiskMax= is not kept: the guest writes to its Directory= or to memory")
      try daemon.waitForLog("copy: DiskMax= is not kept: project quota of /var/tmp/dormouse-copy-")
      #expect(try world.status("copy").limits.allSatisfy { $0.setting != "DiskMax" })
      let outcome = try world.run(Built.dormouse, "check", "\(world.config)/own.guest")
      #expect((outcome.output + outcome.errors).contains("DiskMax= is not kept"), "\(outcome)")
    }
  }
}
