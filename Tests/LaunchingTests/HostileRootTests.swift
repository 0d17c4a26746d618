import Glibc
import GuestSpec
import Launching
import Linux
import Planning
import Testing

@Suite("A hostile root")
struct HostileRootTests {
  /// A root with links to this host's /usr, and what `make` adds to it.
  private func root(_ guest: TestGuest, _ make: (String) throws -> Void) throws -> String {
    let root = guest.directory + "/root"
    try makeDirectories(root)
    for name in ["bin", "sbin", "lib", "lib64"] { symlink("usr/" + name, root + "/" + name) }
    try make(root)
    return root
  }

  @Test(
    "a hostile file at /etc/machine-id is replaced, and its target is not written to", arguments: [S_IFCHR, S_IFLNK])
  func machineID(kind: mode_t) throws {
    let guest = try TestGuest()
    let victim = guest.directory + "/root/victim"
    var spec = guest.shell("cat /etc/machine-id")
    spec.files.volatile = .overlay
    spec.policy.directory = try root(guest) { root in
      try makeDirectories(root + "/etc")
      try writeFile(victim, "as it was\n")
      switch kind {
      case S_IFLNK: symlink("/victim", root + "/etc/machine-id")
      // /dev/full stands for the node of a disk: a write to it fails.
      default: try retrying("mknod") { mknod(root + "/etc/machine-id", S_IFCHR | 0o666, dev_t(1 << 8 | 7)) }
      }
    }
    spec.files.mounts = [
      .bind(source: "/usr", destination: "/usr", readOnly: true, recursive: true, optional: false),
      .bind(source: victim, destination: "/victim", readOnly: false, recursive: true, optional: false),
    ]
    #expect(try guest.output(of: plan(spec, guest.facts(for: spec))) == "0123456789abcdef0123456789abcdef\n")
    #expect(try readFile(victim, limit: 100) == Array("as it was\n".utf8))
  }

  @Test("a symbolic link at a root's /usr is not resolved on the host")
  func usr() throws {
    let guest = try TestGuest()
    var spec = guest.shell("ls /usr")
    spec.policy.directory = try root(guest) { symlink("/etc", $0 + "/usr") }
    let root = guest.directory + "/root"
    #expect(throws: LaunchError("opening \(root)/usr to bind it", errno: ENOTDIR)) {
      try guest.output(of: plan(spec, guest.facts(for: spec)))
    }
  }

  @Test("an /etc/passwd of more than 1 MiB is too large, and its users are not taken for missing")
  func passwd() throws {
    let guest = try TestGuest()
    var spec = guest.shell("true")
    spec.files.volatile = .no
    spec.exec.process.user = "web"
    spec.policy.directory = try root(guest) { root in
      try makeDirectories(root + "/etc")
      let line = "web:x:33:33::/var/www:/bin/sh\n"
      try writeFile(root + "/etc/passwd", line + String(repeating: "#", count: 1 << 20))
    }
    let error = try #require(throws: SystemError.self) { try guest.facts(for: spec) }
    #expect(error.description.hasSuffix("/root: File too large"))
    #expect(error.description.hasPrefix("read more than 1 MiB of /etc/passwd in "))
  }

  @Test("a symbolic link at a root's /etc does not give the guest the host's machine ID")
  func foreignMachineID() throws {
    let guest = try TestGuest()
    let outside = guest.directory + "/outside"
    try makeDirectories(outside)
    try writeFile(outside + "/machine-id", String(repeating: "a", count: 32) + "\n")
    var spec = guest.shell("true")
    spec.files.volatile = .no
    spec.policy.directory = try root(guest) { symlink(outside, $0 + "/etc") }
    #expect(try guest.facts(for: spec).identity.machineID == "0123456789abcdef0123456789abcdef")
    // Resolved inside the root, the same link has a target, which systemd in the guest will find.
    try makeDirectories(guest.directory + "/root" + outside)
    try writeFile(guest.directory + "/root\(outside)/machine-id", String(repeating: "b", count: 32) + "\n")
    #expect(try guest.facts(for: spec).identity.machineID == String(repeating: "b", count: 32))
  }
}

@Suite("The machine ID")
struct MachineIDTests {
  @Test("an /etc/machine-id of zeros is none")
  func zero() throws {
    let guest = try TestGuest()
    var spec = guest.shell("true")
    spec.files.volatile = .no
    spec.policy.directory = guest.directory + "/root"
    try makeDirectories(guest.directory + "/root/etc")
    try writeFile(guest.directory + "/root/etc/machine-id", String(repeating: "0", count: 32) + "\n")
    let facts = try guest.facts(for: spec)
    #expect(facts.identity.machineID == "0123456789abcdef0123456789abcdef")
    #expect(facts.identity.rootMachineID == nil)
  }

  @Test("the machine ID of a guest over the host's own root is not the host's")
  func overlay() throws {
    let guest = try TestGuest()
    var spec = guest.shell("cat /etc/machine-id")
    spec.files.volatile = .overlay
    let facts = try guest.facts(for: spec)
    #expect(facts.identity.machineID == "0123456789abcdef0123456789abcdef")
    #expect(
      try plan(spec, facts).steps.contains {
        if case .writeFile("/etc/machine-id", _, "0123456789abcdef0123456789abcdef\n") = $0 { true } else { false }
      })
  }
}
