import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("The environment of a guest")
struct LaunchTests {
  @Test("a guest has namespaces, /proc, /sys, /dev and /run/host as the Container Interface asks")
  func context() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Exec]\nHostname=burrow")
      try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      let pid = try #require(try world.summary("echo").pid)
      for space in ["pid", "mnt", "uts", "ipc", "cgroup"] {
        #expect(try link("/proc/\(pid)/ns/\(space)") != link("/proc/self/ns/\(space)"), "\(space)")
      }
      // Without Private=yes the guest is in the daemon's network namespace.
      let daemon = try #require(world.daemon?.pid)
      #expect(try link("/proc/\(pid)/ns/net") == link("/proc/\(daemon)/ns/net"))

      #expect(try client.ask("read /proc/sys/kernel/hostname") == "burrow")
      #expect(try client.ask("read /proc/self/cgroup").contains("0::/"))
      #expect(try client.ask("write /sys/x y") == "Read-only file system")
      // The mode of the directory refuses the guest's root, who is not root on the host, before the read-only mount does.
      #expect(try client.ask("write /proc/sys/vm/swappiness 60") == "Permission denied")
      #expect(try client.ask("write /run/host/x y") == "Read-only file system")
      #expect(try client.ask("write /dev/null x") == "ok")
      #expect(try client.ask("write /dev/console hello") == "ok")
      #expect(try client.ask("read /run/host/os-release") == client.ask("read /run/host/os-release"))
      #expect(try !client.ask("read /run/host/container-manager").isEmpty)

      let mounts = try client.askList("read /proc/self/mountinfo").map { $0.split(separator: " ") }
      let kinds = Dictionary(
        mounts.map { fields in (String(fields[4]), String(fields[(fields.firstIndex(of: "-") ?? 0) + 1])) },
        uniquingKeysWith: { _, last in last })
      #expect(kinds["/proc"] == "proc")
      #expect(kinds["/dev"] == "tmpfs")
      #expect(kinds["/run"] == "tmpfs")
      #expect(kinds["/sys/fs/cgroup"] == "cgroup2")
      // systemd needs shared mounts, and does not change the propagation in a container.
      #expect(mounts.first { $0[4] == "/" }?.contains { $0.hasPrefix("shared:") } == true)
    }
  }

  @Test("a guest with Private=yes has its own network with a loopback interface, and passed sockets work")
  func privateNetwork() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Network]\nPrivate=yes")
      try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      let devices = try client.askList("read /proc/net/dev").dropFirst(2)
      #expect(devices.map { $0.prefix { $0 != ":" }.trimmingCharacters(in: .whitespaces) } == ["lo"])
      let pid = try #require(try world.summary("echo").pid)
      let daemon = try #require(world.daemon?.pid)
      #expect(try link("/proc/\(pid)/ns/net") != link("/proc/\(daemon)/ns/net"))
      #expect(try world.enter(pid, "/sbin/init", "--do=exit 0").succeeded)
    }
  }

  @Test("a guest has the mounts that [Files] asks for")
  func files() throws {
    try World.with { world in
      let shared = world.directory + "/shared"
      try FileManager.default.createDirectory(atPath: shared, withIntermediateDirectories: true)
      try "from the host".write(toFile: shared + "/file", atomically: true, encoding: .utf8)
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001",
        settings: """
          [Files]
          Bind=\(shared):/written:idmap
          BindReadOnly=\(shared):/srv/read:idmap
          BindReadOnly=-/no/such/thing:/srv/missing
          TemporaryFileSystem=/var:mode=0700
          Inaccessible=/etc
          """)
      try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("read /srv/read/file") == "from the host")
      #expect(try client.ask("write /srv/read/file no") == "Read-only file system")
      #expect(try client.ask("write /written/new from the guest") == "ok")
      #expect(text(of: shared + "/new") == "from the guest")
      #expect(try client.ask("write /var/gone x") == "ok")
      #expect(names(in: world.directory + "/root-echo/var") == [])
      #expect(try client.ask("write /etc/x y") != "ok")
    }
  }

  @Test("a guest leaves its root directory unchanged", arguments: ["ReadOnly=yes", "Volatile=overlay"])
  func untouched(setting: String) throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Files]\n\(setting)")
      try world.startDaemon()
      let answer = try world.ask("127.0.0.1:8001", "write /etc/new x")
      #expect(answer == (setting == "ReadOnly=yes" ? "Read-only file system" : "ok"))
      #expect(names(in: world.directory + "/root-echo/etc") == [])
    }
  }

  @Test("the message about a failed start names the step that failed, and nothing of the start is left")
  func failure() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Files]\nBindReadOnly=/no/such/thing:/srv")
      let daemon = try world.startDaemon()
      let outcome = try world.dormouse("wake", "echo")
      #expect(!outcome.succeeded)
      #expect(outcome.errors.contains("/no/such/thing"))
      #expect(outcome.errors.contains("No such file or directory"))
      #expect(daemon.log.contains("/no/such/thing"))
      #expect(Cgroups.processes(below: world.cgroup) == [daemon.pid])
    }
  }

  private func link(_ path: String) throws -> String { try FileManager.default.destinationOfSymbolicLink(atPath: path) }
}
