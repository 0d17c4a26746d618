import ControlProtocol
import Foundation
import Testing

@Suite("systemd with private users")
struct UserBootTests {
  /// An image, how it is mounted, its PrivateUsers=, and its network.
  static let guests: [(image: String, volatile: String, users: String, network: String)] = [
    ("bookworm", "state", "pick", "no"), ("bookworm", "overlay", "identity", "yes"),
    ("trixie", "overlay", "pick", "yes"), ("trixie", "state", "805306368", "no"),
    ("sid", "overlay", "805306368:65536", "no"), ("sid", "state", "identity", "yes"), ("sid", "overlay", "no", "yes"),
    ("host", "yes", "pick", "yes"), ("host", "yes", "no", "no"),
  ]

  @Test(
    "systemd with private users boots without a failed unit, serves, sees no mount of the host, and stops",
    arguments: guests)
  func boots(image: String, volatile: String, users: String, network: String) throws {
    try World.with { world in
      try world.addDebian(
        "deb", image: image, DebianTests.hello,
        settings: """
          [Exec]
          PrivateUsers=\(users)
          [Files]
          Volatile=\(volatile)
          [Network]
          Private=\(network)
          """)
      try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      let pid = try #require(try world.summary("deb").pid)
      let row = text(of: "/proc/\(pid)/uid_map").split(whereSeparator: \.isWhitespace).compactMap { UInt32($0) }
      switch users {
      case "no": #expect(row == [0, 0, .max])
      case "identity": #expect(row == [0, 0, 65536])
      case "pick": #expect(row[1] >= 0x8_0000)
      default: #expect(row == [0, 805_306_368, 65536])
      }
      let failed = try world.enter(pid, "systemctl", "list-units", "--failed", "--plain", "--no-legend")
      #expect(failed.output == "", "\(failed.output)")
      let state = try world.enter(pid, "systemctl", "is-system-running", "--wait")
      #expect(state.output == "running\n", "\(state.output) \(state.errors)")
      // All mounts are shared within the guest, and the host does not see mounts of the guest.
      let mounts = text(of: "/proc/\(pid)/mountinfo").split(separator: "\n")
      for mount in mounts where !mount.contains("/run/host/incoming") {
        #expect(mount.contains(" shared:"), "\(mount)")
      }
      #expect(try world.enter(pid, "mount", "-t", "tmpfs", "x", "/tmp").succeeded)
      #expect(!text(of: "/proc/self/mountinfo").contains("tmpfs x "))
      if users == "pick" {
        #expect(try !world.enter(pid, "mount", "-o", "remount,bind,rw", "/usr/local/bin").succeeded)
      }
      try world.sleep("deb")
      #expect(try world.status("deb").lastStop?.killed == false)
    }
  }
}
