import ControlProtocol
import Foundation
import Glibc
import Testing

@Suite("The section [Exec]")
struct ExecTests {
  @Test("the user, capabilities, limits and other settings of [Exec] take effect in the guest")
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
      // CAP_NET_RAW and CAP_SYSLOG.
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

  @Test("PivotRoot= makes a directory of the root the new root, and mounts the old root where it says")
  func pivot() throws {
    try World.with { world in
      // The image contains several systems in its directories.
      let inner = try world.makeTinyRoot("echo/systems/1")
      _ = try world.makeTinyRoot("bare/systems/1")
      let root = world.directory + "/root-echo"
      try FileManager.default.createDirectory(atPath: inner + "/all", withIntermediateDirectories: true)
      try "outer".write(toFile: root + "/mark", atomically: true, encoding: .utf8)
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Exec]\nPivotRoot=/systems/1:/all")
      try world.addTiny("bare", "ListenStream=127.0.0.1:8002", settings: "[Exec]\nPivotRoot=/systems/1")
      try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      #expect(try client.ask("read /all/mark") == "outer")
      #expect(try client.ask("write /made x") == "ok")
      #expect(text(of: inner + "/made") == "x")
      #expect(try world.ask("127.0.0.1:8002", "read /mark") == "No such file or directory")
    }
  }

  @Test("Personality= sets the personality of the guest, and one that the kernel lacks is an error with a message")
  func personality() throws {
    #if arch(x86_64)
      let (own, foreign) = ("x86", "arm")
    #else
      let (own, foreign) = ("arm", "x86")
    #endif
    try World.with { world in
      try world.addTiny("old", "ListenStream=127.0.0.1:8001", settings: "[Exec]\nPersonality=\(own)")
      try world.addTiny("other", "ListenStream=127.0.0.1:8002", settings: "[Exec]\nPersonality=\(foreign)")
      try world.startDaemon()
      // PER_LINUX32
      #expect(try world.ask("127.0.0.1:8001", "read /proc/self/personality") == "00000008")
      let outcome = try world.dormouse("wake", "other")
      #expect(outcome.errors.contains("Personality=\(foreign): this host's kernel does not run such programs"))
    }
  }

  @Test("User= is looked up in the guest only: a user that only the host has is an error")
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

  @Test("systemd runs with fewer capabilities, NoNewPrivileges= and resource limits, without a failed unit")
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

  @Test("the system call filter allows the default list, refuses audit, and answers unknown calls with ENOSYS")
  func systemCalls() throws {
    try World.with { world in
      try world.addTiny("usual", "ListenStream=127.0.0.1:8001")
      try world.addTiny(
        "own", "ListenStream=127.0.0.1:8002", settings: "[Exec]\nSystemCallFilter=pkey_alloc\nSystemCallFilter=~@chown")
      try world.startDaemon()
      let usual = try world.connect("127.0.0.1:8001")
      #expect(try usual.ask(SystemCall.getpid) == "1")
      #expect(try usual.ask(SystemCall.netlink(protocol: 9)) == "Address family not supported by protocol")
      #expect(try Int(usual.ask(SystemCall.netlink(protocol: 0))) != nil)
      #expect(try usual.ask(SystemCall.pkeyAlloc) == "Operation not permitted")
      #expect(try usual.ask("call 9999") == "Function not implemented")
      #expect(try usual.ask(SystemCall.fchown) == "Bad file descriptor")
      let own = try world.connect("127.0.0.1:8002")
      #expect(try own.ask(SystemCall.pkeyAlloc) != "Operation not permitted")
      #expect(try own.ask(SystemCall.fchown) == "Operation not permitted")
      let pid = try #require(try world.summary("own").pid)
      #expect(text(of: "/proc/\(pid)/status").contains("Seccomp_filters:\t2"))
      #expect(try world.status("own").messages.isEmpty)
    }
  }

  @Test(
    "RestrictAddressFamilies= allows only the listed families, in any form of the number, and keeps passed sockets"
  )
  func families() throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", settings: "[Exec]\nRestrictAddressFamilies=AF_UNIX AF_NETLINK")
      try world.startDaemon()
      let client = try world.connect("127.0.0.1:8001")
      let refused = "Address family not supported by protocol"
      #expect(try Int(client.ask(SystemCall.socket(family: "1"))) != nil)
      #expect(try Int(client.ask(SystemCall.netlink(protocol: 0))) != nil)
      #expect(try client.ask(SystemCall.netlink(protocol: 9)) == refused)
      for family in ["2", "10", "38", "40", "0x100000002", "0x100000001"] {
        #expect(try client.ask(SystemCall.socket(family: family)) == refused, "\(family)")
      }
    }
  }

  @Test("SuppressSync=yes makes calls that sync succeed without an effect")
  func sync() throws {
    try World.with { world in
      try world.addTiny("none", "ListenStream=127.0.0.1:8001", settings: "[Exec]\nSuppressSync=yes")
      try world.addTiny("usual", "ListenStream=127.0.0.1:8002")
      try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", SystemCall.fsync) == "0")
      #expect(try world.ask("127.0.0.1:8002", SystemCall.fsync) == "Bad file descriptor")
    }
  }

  @Test("a guest without CAP_SYS_ADMIN has the system call filter, and lacks the capability")
  func withoutAdmin() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Exec]\nDropCapability=CAP_SYS_ADMIN")
      try world.startDaemon()
      let status = try world.ask("127.0.0.1:8001", "read /proc/self/status")
      #expect(status.contains("Seccomp:\t2"))
      #expect(status.contains("NoNewPrivs:\t0"))
      let effective = try #require(status.firstMatch(of: /CapEff:\t([0-9a-f]+)/)?.1)
      #expect((UInt64(effective, radix: 16) ?? .max) >> 21 & 1 == 0)
    }
  }

  @Test(
    "systemd and units with their own namespaces run under the system call filter without a failed unit",
    arguments: ["bookworm", "trixie", "sid"])
  func sandboxes(image: String) throws {
    try World.with { world in
      try world.addDebian("web", image: image, "ListenStream=127.0.0.1:8001")
      try world.startDaemon()
      try world.wake("web")
      let pid = try #require(try world.summary("web").pid)
      #expect(text(of: "/proc/\(pid)/status").contains("Seccomp:\t2"))
      let state = try world.enter(pid, "systemctl", "is-system-running", "--wait").output
      let failed = try world.enter(pid, "systemctl", "--failed", "--no-legend").output
      #expect(state == "running\n", "\(failed)")
      // The unit is started by PID 1 of the guest, which has the filter; a process that enters from outside has not.
      let unit = try world.enter(
        pid, "systemd-run", "--wait", "--pipe", "--quiet", "-p", "PrivateDevices=yes", "-p", "PrivateTmp=yes",
        "-p", "ProtectSystem=strict", "-p", "PrivateNetwork=yes", "-p", "SystemCallFilter=@system-service", "-p",
        "ProtectKernelTunables=yes", "cat", "/proc/self/status")
      #expect(unit.succeeded, "\(unit.errors)")
      #expect(unit.output.contains("Seccomp:\t2"))
      let audit = try world.enter(pid, "journalctl", "-b", "-u", "systemd-journald", "--grep", "audit").output
      #expect(!audit.lowercased().contains("failed"), "\(audit)")
    }
  }
}

/// Commands `call` for tiny-init.
private enum SystemCall {
  #if arch(x86_64)
    static let getpid = "call 39"
    static let pkeyAlloc = "call 330 0 0"
    static let fchown = "call 93 -1 0 0"
    static let fsync = "call 74 -1"
    private static let socket = 41
  #else
    static let getpid = "call 172"
    static let pkeyAlloc = "call 289 0 0"
    static let fchown = "call 55 -1 0 0"
    static let fsync = "call 82 -1"
    private static let socket = 198
  #endif

  static func netlink(protocol number: Int) -> String { "call \(socket) 16 3 \(number)" }
  static func socket(family: String) -> String { "call \(socket) \(family) 2 0" }
}
