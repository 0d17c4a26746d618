import Foundation
import Glibc
import Testing

/// An image's author, or root of a guest without a user namespace, leaves device nodes in the root.
@Suite("A root with device nodes")
struct NodeTests {
  @Test(
    "a device node in a guest's root opens nothing, whatever the root is mounted from, and its /dev works",
    arguments: [
      "", "[Exec]\nPrivateUsers=no", "[Files]\nVolatile=overlay\n[Exec]\nPrivateUsers=no",
      "[Exec]\nEphemeral=yes\nPrivateUsers=no", "[Files]\nVolatile=state\n[Exec]\nPrivateUsers=no",
      "[Files]\nVolatile=yes\n[Exec]\nPrivateUsers=no",
    ])
  func nodes(settings: String) throws {
    try World.with { world in
      let root = try world.makeTinyRoot("bad")
      for path in ["usr/sbin", "usr/bin", "usr/lib"] {
        try FileManager.default.createDirectory(atPath: "\(root)/\(path)", withIntermediateDirectories: true)
      }
      // With Volatile=yes the guest has only /usr of its root.
      try require("mv", root + "/sbin/init", root + "/usr/sbin/init")
      try require("rmdir", root + "/sbin")
      symlink("usr/sbin", root + "/sbin")
      // /dev/null's numbers, which the device policy of every guest allows.
      for path in ["usr/node", "node", "dev/node"] { mknod("\(root)/\(path)", S_IFCHR | 0o666, dev_t(1 << 8 | 3)) }
      try world.addTinyGuest("bad", root: root, "ListenStream=127.0.0.1:8001", settings: settings)
      try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("write /usr/node x") == "Permission denied")
      if !settings.contains("Volatile=yes") { #expect(try client.ask("write /node x") == "Permission denied") }
      #expect(try client.ask("read /dev/node").contains("No such file"))
      #expect(try client.ask("write /dev/null x") == "ok")
      // The host's side, as `dormouse interface` reads it.
      let leader = try world.leader(of: "bad")
      #expect(open("/proc/\(leader)/root/usr/node", O_WRONLY | O_NONBLOCK | O_CLOEXEC) == -1 && errno == EACCES)
    }
  }
}
