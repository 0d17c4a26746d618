import Testing
import UnitSyntax

@testable import GuestSpec

@Suite("Settings.swift, row by row")
struct SettingsTests {
  /// A valid and an invalid value of each kind.
  static let samples: [String: (good: String, bad: String)] = [
    "a boolean": ("off", "maybe"), "words": ("a 'b c'", "a 'b"), "environment variables": ("A=1 'B=x y'", "1A=x"),
    "a signal": ("SIGRTMIN+3", "SIGNAL"), "a host name": ("web.example", "-web"), "a volatile mode": ("state", "some"),
    "private users": ("524288:65536", "some"), "an ownership mode": ("map", "own"),
    "a number of terminals": ("2", "17"),
    "names of users": ("ada grace", "ada 1st"), "a boolean or a shell's path": ("/bin/zsh", "zsh"),
    "a freeze mode": ("with-connections", "yes"),
    "a bind mount": ("/srv/a:/b:norbind", "srv"), "a tmpfs mount": ("/x:size=1M", "x"), "a path to hide": ("/x", "x"),
    "an overlay": ("/a:+/b:/c", "/a"),
    "an absolute path": ("/srv/web", "srv/web"), "a time span": ("1min 30s", "1 fortnight"),
    "a timeout": ("5s", "soon"),
    "a machine ID": ("0123456789abcdef0123456789ABCDEF", "0123"), "an address": ("/run/x.sock", "localhost:80"),
    "an IPv6 binding mode": ("yes", "ipv6"), "a number": ("128", "-1"), "an access mode": ("0660", "0999"),
    "a user or group": ("www-data", "a:b"), "a time span of at most 32767s": ("75s", "infinity"),
    "capabilities": ("CAP_MKNOD all", "MKNOD"), "more capabilities": ("cap_syslog CAP_BPF", "CAP_SYSLOGS"),
    "names of capabilities": ("CAP_NET_RAW", "all"), "an architecture": ("x86", "vax"),
    "a score from -1000 to 1000": ("-17", "1001"), "numbers of processors": ("0,2-3 5", "3-2"),
    "directories to pivot to": ("/ostree/1:/sysroot", "/:/x"), "a limit": ("4:infinity", "5:4"),
    "a limit in bytes": ("1.5M", "1X"), "a limit in seconds": ("1min:2min", "-1"),
    "a limit in microseconds": ("5ms", "soon"), "system calls": ("~@mount bpf", "@mounts"),
    "address families": ("~AF_VSOCK AF_ALG", "AF_INTE"),
    "a nice limit": ("-5", "+20"),
    "a number of probes": ("9", "128"), "a size": ("64K", "64Q"), "a descriptor name": ("http", "a:b"),
    "a credential with its value": ("id:a\\x00b", "id"), "a credential with its file": ("id:/srv/key", "id:srv/key"),
    "a limit of disk space": ("10G", "0"), "an amount of free space": ("5%", "infinity"),
    "an amount of memory": ("1.5G", "1X"),
    "a limit of memory": ("25%", "0"), "a weight or idle": ("idle", "busy"),
    "a weight": ("50", "0"), "a share of a processor": ("150%", "1.5"),
    "a number of tasks": ("100", "0"),
    "a timezone mode": ("symlink", "Europe/Berlin"), "a resolv.conf mode": ("bind-uplink", "copy"),
    "a journal link mode": ("try-host", "yes"),
    "an interface's name": ("br0", "a/b"), "a network zone": ("office", "office-of-many"),
    "a pair of interfaces": ("a:b", "a:b:c"), "interfaces": ("eth0 eth1:lan", "eth0 a/b"), "a port": ("udp:53", "http"),
  ]

  @Test("every supported setting accepts a valid value, refuses an invalid one, and is reset by an empty assignment")
  func everyRow() throws {
    for table in [Settings.exec, Settings.files, Settings.network, Settings.guest] { try walk(table) }
    try walk(Settings.socket)
  }

  private func walk<Target: Equatable>(_ table: [Setting<Target>]) throws {
    #expect(Set(table.map(\.key)).count == table.count, "a key occurs twice")
    for setting in table {
      guard let expects = setting.expects else { continue }
      let sample = try #require(Self.samples[expects], "no sample for \(expects)")
      var context = ValueContext(specifiers: Specifiers(fragmentPath: "/etc/dormouse/web.guest"), guestName: "web")
      var target = Target.defaults
      let good = setting.key == "ListenSequentialPacket" || expects != "an address" ? sample.good : "[::1]:80"
      try setting.assign(good, &target, &context)
      // The sample may be the default of Boot= and other booleans.
      if expects == "a boolean", target == .defaults { try setting.assign("yes", &target, &context) }
      #expect(target != .defaults, "\(setting.key)=\(good) changes nothing")
      #expect(throws: WrongValue.self, "\(setting.key)") { try setting.assign(sample.bad, &target, &context) }
      try setting.assign("", &target, &context)
      #expect(target == .defaults, "\(setting.key)= does not reset")
      #expect(context.warnings.isEmpty)
    }
  }

  @Test("a key that is known but not supported produces a warning in every section")
  func knownKeys() {
    let sections: [(String, [String])] = [
      ("Exec", Settings.exec.filter { $0.expects == nil }.map(\.key)),
      ("Files", Settings.files.filter { $0.expects == nil }.map(\.key)),
      ("Network", Settings.network.filter { $0.expects == nil }.map(\.key)),
      ("Socket", Settings.socket.filter { $0.expects == nil }.map(\.key)),
      ("Guest", Settings.guest.filter { $0.expects == nil }.map(\.key)),
    ]
    for (section, keys) in sections {
      for key in keys {
        let body = "[\(section)]\n\(key)=x" + (section == "Socket" ? "\nListenStream=80" : "")
        let messages = read(guest: body).diagnostics.map(\.description)
        let warning = "web.guest:2: warning: \(key)= is not supported by this version of Dormouse and has no effect"
        #expect(messages == [warning])
      }
    }
  }
}

/// Reads the guest `web` from a guest file with this text.
func read(guest: String, nspawn: String? = nil, dropIns: [String] = []) -> GuestReading {
  var files: [UnitFile] = []
  if let nspawn { files.append(UnitFile(path: "web.nspawn", bytes: Array(nspawn.utf8))) }
  files.append(UnitFile(path: "web.guest", bytes: Array(guest.utf8)))
  for (index, text) in dropIns.enumerated() {
    files.append(UnitFile(path: "web.guest.d/\(index).conf", bytes: Array(text.utf8)))
  }
  let specifiers = Specifiers(fragmentPath: "/etc/dormouse/web.guest", host: ["H": "box", "m": "abc"])
  return Guest.read(name: "web", from: files, specifiers: specifiers)
}
