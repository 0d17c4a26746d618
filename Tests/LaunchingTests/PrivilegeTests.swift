import Glibc
import GuestSpec
import Launching
import Linux
import Planning
import Testing

@Suite("User and privileges of PID 1")
struct PrivilegeTests {
  private func status(_ change: (inout Guest) -> Void) throws -> [String: String] {
    // Not by a shell, which changes some of these values.
    let text = try TestGuest().output(of: "") {
      $0.exec.parameters = ["/bin/cat", "/proc/self/status"]
      change(&$0)
    }
    var fields: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
      if parts.count == 2 { fields[parts[0]] = String(parts[1].drop { $0 == "\t" || $0 == " " }) }
    }
    return fields
  }

  @Test("PID 1 has the resource limits of the guest's settings")
  func limits() throws {
    let text = try TestGuest().output(of: "cat /proc/self/limits") {
      $0.exec.process.limits[.descriptors] = ResourceLimit(soft: 12, hard: 34)
      $0.exec.process.limits[.core] = ResourceLimit(soft: 0, hard: 0)
      $0.exec.process.limits[.cpu] = ResourceLimit(soft: 3, hard: .max)
    }
    func line(_ name: String) -> [Substring]? {
      text.split(separator: "\n").first { $0.hasPrefix(name) }?.dropFirst(name.count).split(separator: " ")
    }
    #expect(line("Max open files") == ["12", "34", "files"])
    #expect(line("Max core file size") == ["0", "0", "bytes"])
    #expect(line("Max cpu time") == ["3", "unlimited", "seconds"])
  }

  @Test("PID 1 has the usual capabilities, plus Capability= and minus DropCapability=")
  func capabilities() throws {
    let found = try status {
      $0.exec.capabilities.added = [.one(Capabilities([34]))]
      $0.exec.capabilities.dropped = [.one(.sysAdmin), .one(Capabilities([27]))]
    }
    for set in ["CapBnd", "CapEff", "CapPrm"] {
      let value = try #require(UInt64(found[set] ?? "", radix: 16))
      #expect(value >> 34 & 1 == 1, "\(set) lacks CAP_SYSLOG")
      #expect(value >> 21 & 1 == 0 && value >> 27 & 1 == 0, "\(set) has what is dropped")
      #expect(value & 1 == 1)
    }
  }

  @Test("PID 1 starts without any capability when all are dropped")
  func none() throws {
    let found = try status { $0.exec.capabilities.dropped = [.all] }
    for set in ["CapBnd", "CapEff", "CapPrm", "CapInh", "CapAmb"] { #expect(UInt64(found[set] ?? "", radix: 16) == 0) }
  }

  @Test("a payload with User= has the user's groups, only ambient capabilities, and owns the console")
  func user() throws {
    let found = try status {
      $0.exec.process.user = "4242"
      $0.exec.capabilities.ambient = [Capabilities([10])]
    }
    #expect(found["Uid"] == "4242\t4242\t4242\t4242")
    #expect(found["Gid"] == "4242\t4242\t4242\t4242")
    #expect(found["Groups"]?.split(separator: " ") == ["4242"])
    for set in ["CapEff", "CapPrm", "CapInh", "CapAmb"] { #expect(UInt64(found[set] ?? "", radix: 16) == 1 << 10) }
    let text = try TestGuest().output(of: "echo $HOME $USER; echo written >/dev/console; stat -Lc %u /dev/console") {
      $0.exec.process.user = "4242"
    }
    #expect(text == "/ 4242\nwritten\n4242\n")
  }

  @Test("the groups of User= come from the guest's /etc/group, not from the host's")
  func groups() throws {
    let account = Account(name: "web", uid: 33, gid: 34, groups: [34, 50, 60], home: "/", shell: nil)
    let guest = try TestGuest()
    var spec = guest.shell("")
    spec.exec.parameters = ["/usr/bin/id", "-G"]
    spec.exec.process.user = "web"
    var facts = try guest.facts(for: spec)
    facts.account = account
    #expect(try guest.output(of: plan(spec, facts)) == "34 50 60\n")
  }

  @Test("NoNewPrivileges=yes sets no_new_privs of PID 1, and the default does not")
  func noNewPrivileges() throws {
    #expect(try status { _ in }["NoNewPrivs"] == "0")
    #expect(try status { $0.exec.sandbox.noNewPrivileges = true }["NoNewPrivs"] == "1")
  }

  @Test("OOMScoreAdjust= applies to PID 1 from its first moment, and the daemon gets its own score back")
  func oomScore() throws {
    let own = try readFile("/proc/self/oom_score_adj", limit: 16)
    for isBelowInit in [false, true] {
      let text = try TestGuest().output(of: "cat /proc/1/oom_score_adj /proc/self/oom_score_adj") {
        $0.exec.process.oomScoreAdjust = 321
        $0.exec.processTwo = isBelowInit
      }
      #expect(text == "321\n321\n")
    }
    #expect(try readFile("/proc/self/oom_score_adj", limit: 16) == own)
  }

  @Test("CPUAffinity=, Personality= and WorkingDirectory= apply to PID 1")
  func context() throws {
    #expect(try status { $0.exec.process.processors = [0...0] }["Cpus_allowed_list"] == "0")
    let text = try TestGuest().output(of: "uname -m; pwd") {
      $0.exec.process.workingDirectory = "/usr/share"
      #if arch(x86_64)
        $0.exec.process.personality = .x86
      #endif
    }
    #if arch(x86_64)
      #expect(text == "i686\n/usr/share\n")
    #else
      #expect(text.hasSuffix("\n/usr/share\n"))
    #endif
  }

  @Test("PivotRoot= makes a directory of the root the new root, and moves the old root to the directory that it names")
  func pivot() throws {
    let guest = try TestGuest()
    let root = guest.directory + "/root"
    for directory in ["", "/inner", "/inner/usr", "/inner/old", "/outer"] { mkdir(root + directory, 0o755) }
    for (name, target) in [("bin", "usr/bin"), ("lib", "usr/lib"), ("lib64", "usr/lib64")] {
      symlink(target, "\(root)/inner/\(name)")
    }
    for (old, expected) in [(String?.none, "no\n"), ("/old", "inner\nouter\n")] {
      var spec = guest.shell("ls /old/ | grep -E 'inner|outer' || echo no")
      spec.files.volatile = .no
      spec.policy.directory = root
      spec.files.mounts = [
        .bind(source: "/usr", destination: "/usr", readOnly: true, recursive: true, optional: false)
      ]
      spec.exec.root.pivot = PivotRoot(new: "/inner", old: old)
      #expect(try guest.output(of: plan(spec, guest.facts(for: spec))) == expected)
    }
  }
}
