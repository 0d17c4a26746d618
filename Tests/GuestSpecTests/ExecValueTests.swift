import Testing

@testable import GuestSpec

@Suite("Values of [Exec]")
struct ExecValueTests {
  private func exec(_ lines: String) -> (exec: ExecSettings, messages: [String]) {
    let reading = read(guest: "[Exec]\nBoot=no\nParameters=x\n" + lines)
    return (reading.guest.exec, reading.diagnostics.map(\.description))
  }

  @Test(
    "resource limits are read as in systemd.exec(5)",
    arguments: [
      ("LimitNOFILE=12", Resource.descriptors, 12, 12), ("LimitNOFILE=12:infinity", .descriptors, 12, .max),
      ("LimitNPROC=infinity", .processes, .max, .max), ("LimitDATA=1G:2G", .data, 1 << 30, 2 << 30),
      ("LimitCPU=1500ms", .cpu, 2, 2), ("LimitCPU=1min:infinity", .cpu, 60, .max), ("LimitCPU=7", .cpu, 7, 7),
      ("LimitRTTIME=7", .realtimeTime, 7, 7), ("LimitRTTIME=2ms:1s", .realtimeTime, 2000, 1_000_000),
      ("LimitNICE=+5", .nice, 15, 15), ("LimitNICE=-20", .nice, 40, 40), ("LimitNICE=0:40", .nice, 0, 40),
    ] as [(String, Resource, UInt64, UInt64)])
  func limits(line: String, resource: Resource, soft: UInt64, hard: UInt64) {
    let (exec, messages) = exec(line)
    #expect(messages == [])
    #expect(exec.process.limits[resource] == ResourceLimit(soft: soft, hard: hard))
  }

  @Test(
    "the message for an invalid value of [Exec] says what to write instead",
    arguments: [
      ("LimitNOFILE=5:4", "the soft limit is above the hard one; write the smaller number first"),
      ("LimitNOFILE=1:2:3", "write one limit, or SOFT:HARD"),
      ("LimitNOFILE=many", "\"many\" is not a limit; write a number or infinity"),
      ("LimitAS=1X", "\"1X\" is not a limit in bytes; write bytes, a number with K, M, G or T, or infinity"),
      (
        "LimitNICE=41",
        "\"41\" is not a nice limit; write a nice level with its sign, -20 to +19, or the kernel's number, 0 to 40"
      ),
      ("Capability=CAP_SYSLOGG", "\"CAP_SYSLOGG\" is not a capability; did you mean CAP_SYSLOG?"),
      ("DropCapability=MKNOD", "\"MKNOD\" is not a capability; did you mean CAP_MKNOD?"),
      ("SystemCallFilter=@mounts", "\"@mounts\" is not a group of system calls; did you mean @mount?"),
      ("SystemCallFilter=re-ad", "\"re-ad\" is not the name of a system call; write names and @groups"),
      ("RestrictAddressFamilies=AF_UNIXX", "\"AF_UNIXX\" is not an address family; did you mean AF_UNIX?"),
      ("CPUAffinity=3-1", "\"3-1\" is reversed; write the smaller number first"),
      ("CPUAffinity=x", "\"x\" is not a processor; write numbers and ranges such as 0 2-3"),
      ("Personality=vax", "not an architecture; write x86, x86-64, arm or arm64"),
      ("PivotRoot=/", "\"/\" is the root already; write a directory below it"),
      ("PivotRoot=/a:/b:/c", "too many ':'; write NEW, or NEW:OLD"),
    ])
  func wrong(line: String, reason: String) {
    #expect(exec(line).messages == ["web.guest:4: \(line): \(reason)"])
  }

  @Test("adding all capabilities or an audit capability produces a warning about the audit capabilities")
  func audit() {
    #expect(
      exec("Capability=all").messages.first?.contains("does not include CAP_AUDIT_WRITE, CAP_AUDIT_CONTROL") == true)
    #expect(exec("Capability=CAP_AUDIT_READ").messages.first?.contains("Container Interface") == true)
    #expect(exec("DropCapability=all CAP_AUDIT_READ").messages == [])
  }

  @Test("User= and AmbientCapability= are errors with Boot=yes")
  func boot() {
    let user = read(guest: "[Exec]\nUser=web").diagnostics.map(\.description)
    #expect(
      user == [
        "web.guest:2: User= cannot be combined with Boot=yes: an init must run as root; remove User= or set Boot=no"
      ])
    #expect(read(guest: "[Exec]\nAmbientCapability=CAP_MKNOD").hasErrors)
  }

  @Test("ProcessTwo=yes implies Boot=no and a stop signal that the small init knows")
  func processTwo() {
    let reading = read(guest: "[Exec]\nProcessTwo=yes\nParameters=x")
    #expect(reading.diagnostics == [])
    #expect(!reading.guest.exec.boot && !reading.guest.exec.waitsForReady(.systemd))
    #expect(reading.guest.exec.effectiveKillSignal(.other) == .realtime(3))
    let undone = read(guest: "[Exec]\nBoot=yes\nBoot=\nProcessTwo=yes\nParameters=x\nKillSignal=SIGINT")
    #expect(undone.diagnostics == [])
    #expect(read(guest: "[Exec]\nProcessTwo=yes\nProcessTwo=\nKillSignal=SIGTERM").guest.exec.boot)
  }

  @Test("the lines of SystemCallFilter= add up, each with its own sign")
  func systemCalls() {
    let (exec, messages) = exec("SystemCallFilter=bpf @keyring\nSystemCallFilter=~@mount reboot")
    #expect(messages == [])
    #expect(
      exec.sandbox.systemCalls == [
        .init("bpf", isAllowed: true), .init("@keyring", isAllowed: true), .init("@mount", isAllowed: false),
        .init("reboot", isAllowed: false),
      ])
    #expect(self.exec("SystemCallFilter=bpff").messages.first?.contains("did you mean bpf?") == true)
  }

  @Test("the lines of RestrictAddressFamilies= are combined as in systemd.exec(5)")
  func families() {
    #expect(
      exec("RestrictAddressFamilies=AF_UNIX AF_INET").exec.sandbox.families
        == AddressFamilies(isAllowList: true, [1, 2]))
    #expect(
      exec("RestrictAddressFamilies=AF_UNIX AF_INET\nRestrictAddressFamilies=~AF_INET").exec.sandbox.families
        == AddressFamilies(isAllowList: true, [1]))
    #expect(
      exec("RestrictAddressFamilies=~AF_VSOCK").exec.sandbox.families == AddressFamilies(isAllowList: false, [40]))
    #expect(exec("RestrictAddressFamilies=none").exec.sandbox.families == AddressFamilies(isAllowList: true, []))
    #expect(exec("RestrictAddressFamilies=AF_UNIX\nRestrictAddressFamilies=").exec.sandbox.families == nil)
  }
}
