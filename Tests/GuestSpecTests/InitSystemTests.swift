import Testing

@testable import GuestSpec

@Suite("Recognising an init")
struct InitSystemTests {
  /// What the packages of Debian 13 have, and a script that s6-linux-init-maker writes.
  static let samples: [(path: String, program: String, InitSystem)] = [
    ("/usr/lib/systemd/systemd", "", .systemd),
    ("/nix/store/x-systemd-257/lib/systemd/systemd", "", .systemd),
    ("/usr/sbin/init", "\u{7f}ELF.. INIT_VERSION=sysvinit-3.14\0..", .sysvinit(powersOff: true)),
    ("/sbin/init", "\u{7f}ELF.. INIT_VERSION=sysvinit-3.06\0..", .sysvinit(powersOff: false)),
    ("/sbin/init", "\u{7f}ELF.. INIT_VERSION=sysvinit-3.11\0..", .sysvinit(powersOff: true)),
    ("/sbin/init", "\u{7f}ELF.. INIT_VERSION=sysvinit-2.88dsf\0..", .sysvinit(powersOff: false)),
    ("/sbin/init", "\u{7f}ELF.. INIT_VERSION=sysvinit-", .sysvinit(powersOff: false)),
    ("/usr/sbin/openrc-init", "", .openrc),
    ("/usr/sbin/init", "\u{7f}ELF.. OpenRC init version %s starting", .openrc),
    ("/usr/sbin/runit-init", "", .runit),
    ("/sbin/init", "\u{7f}ELF.. /etc/runit/stopit\0..", .runit),
    ("/usr/sbin/finit", "", .finit),
    ("/bin/busybox", "", .busybox),
    ("/usr/bin/s6-svscan", "", .s6),
    ("/sbin/init", "#!/bin/execlineb -S0\n/bin/s6-linux-init -c /etc/s6-linux-init/current -- \"$@\"\n", .s6LinuxInit),
    ("/usr/bin/dinit", "", .dinit),
    ("/sbin/init", "#!/bin/sh\nexec /opt/server\n", .other),
    ("/sbin/init", "", .other),
  ]

  @Test("an init is recognised by the name of its program, or else by what the program has in it", arguments: samples)
  func recognised(path: String, program: String, expected: InitSystem) {
    #expect(InitSystem(path: path) { Array(program.utf8) } == expected)
  }

  @Test("a program whose name tells what it is is not read")
  func unread() {
    let found = InitSystem(path: "/bin/busybox") {
      Issue.record("was read")
      return []
    }
    #expect(found == .busybox)
  }

  @Test("each init has its signal, and only systemd and an unknown init are waited for")
  func behaviour() {
    let signals: [(InitSystem, String)] = [
      (.systemd, "SIGRTMIN+3"), (.sysvinit(powersOff: true), "SIGRTMIN+4"), (.sysvinit(powersOff: false), "SIGINT"),
      (.openrc, "SIGTERM"), (.runit, "SIGPWR"), (.finit, "SIGUSR2"), (.busybox, "SIGUSR2"), (.s6, "SIGTERM"),
      (.s6LinuxInit, "SIGUSR1"), (.dinit, "SIGTERM"), (.other, "SIGRTMIN+3"),
    ]
    var exec = ExecSettings()
    for (initSystem, signal) in signals {
      #expect(exec.effectiveKillSignal(initSystem).description == signal)
      #expect(exec.waitsForReady(initSystem) == (initSystem == .systemd || initSystem == .other))
    }
    exec.notifyReady = true
    exec.killSignal = .sigterm
    #expect(exec.waitsForReady(.busybox))
    #expect(exec.effectiveKillSignal(.busybox) == .sigterm)
  }
}
