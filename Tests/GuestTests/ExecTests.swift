import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("[Exec] of a guest file")
struct ExecTests {
  @Test("user, capabilities, limits and the rest reach the guest")
  func everything() throws {
    try World.with { world in
      let root = try world.makeTinyRoot("echo")
      try "web:x:4242:4243::/srv:/bin/false\n".write(toFile: root + "/etc/passwd", atomically: true, encoding: .utf8)
      try "log:x:77:web\n".write(toFile: root + "/etc/group", atomically: true, encoding: .utf8)
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001",
        settings: """
          [Exec]
          User=web
          NotifyReady=no
          Capability=CAP_SYSLOG
          DropCapability=CAP_MKNOD
          AmbientCapability=CAP_NET_RAW CAP_SYSLOG
          NoNewPrivileges=yes
          LimitNOFILE=100:200
          LimitCORE=1M:infinity
          LimitCPU=1min
          OOMScoreAdjust=77
          CPUAffinity=0
          WorkingDirectory=/var
          """)
      try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      let status = try client.ask("read /proc/self/status")
      // CAP_NET_RAW and CAP_SYSLOG
      for line in [
        "CapAmb:\t0000000400002000", "CapEff:\t0000000400002000", "NoNewPrivs:\t1", "Uid:\t4242\t4242\t4242\t4242",
        "Gid:\t4243\t4243\t4243\t4243", "Groups:\t77 4243", "Cpus_allowed_list:\t0\t",
      ] {
        #expect(status.contains(line), "\(status)")
      }
      let limits = try client.askList("read /proc/self/limits")
      for (name, bounds) in [
        ("Max open files", ["100", "200"]), ("Max core file size", ["1048576", "unlimited"]),
        ("Max cpu time", ["60", "60"]),
      ] {
        let line = limits.first { $0.hasPrefix(name) }?.dropFirst(name.count).split(separator: " ") ?? []
        #expect(line.prefix(2).map(String.init) == bounds, "\(limits)")
      }
      #expect(try client.ask("read /proc/self/oom_score_adj") == "77")
      let environment = try client.askList("env")
      for variable in ["HOME=/srv", "USER=web", "LOGNAME=web", "SHELL=/bin/false"] {
        #expect(environment.contains(variable), "\(environment)")
      }
      let pid = try #require(try world.summary("echo").pid)
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd").hasSuffix("/var"))
    }
  }

  @Test("a user that the guest does not know is no reason to look in the host's")
  func noUser() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Exec]\nUser=daemon")
      try world.startDaemon()
      let outcome = try world.dormouse("wake", "echo")
      #expect(!outcome.succeeded)
      #expect(outcome.errors.contains("User=daemon: "))
      #expect(outcome.errors.contains("has no such user in its /etc/passwd"))
    }
  }

  @Test("systemd runs with fewer capabilities, without new privileges and with limits of its own, and no unit fails")
  func systemd() throws {
    try World.with { world in
      try world.addDebian(
        "web", image: "trixie", "ListenStream=127.0.0.1:8001",
        settings: """
          [Exec]
          DropCapability=CAP_SYS_PTRACE CAP_LEASE
          Capability=CAP_SYSLOG
          LimitNPROC=1000:2000
          LimitNOFILE=2048:4096
          """)
      try world.startDaemon()
      try world.wake("web")
      let pid = try #require(try world.summary("web").pid)
      let state = try world.enter(pid, "systemctl", "is-system-running", "--wait").output
      #expect(state == "running\n")
      let status = text(of: "/proc/\(pid)/status")
      #expect(status.contains("CapBnd:\t000000048"), "\(status)")
      #expect(text(of: "/proc/\(pid)/limits").contains(/Max processes +1000 +2000/))
    }
  }
}
