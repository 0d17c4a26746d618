import Glibc
import GuestSpec
import Launching
import Linux
import Planning
import Testing

@Suite("[Files]")
struct FilesTests {
  /// A directory as the root, with this host's /usr bound into it, and the links of `links`.
  private func directoryGuest(
    _ guest: TestGuest, _ command: String, links: [(String, String)] = []
  ) throws -> Guest {
    let root = guest.directory + "/root"
    mkdir(root, 0o755)
    for name in ["bin", "sbin", "lib", "lib64"] { symlink("usr/" + name, root + "/" + name) }
    for (name, target) in links { symlink(target, root + "/" + name) }
    var spec = guest.shell(command)
    spec.files.volatile = .no
    spec.files.mounts = [
      .bind(source: "/usr", destination: "/usr", readOnly: true, recursive: true, optional: false)
    ]
    spec.policy.directory = root
    return spec
  }

  private func run(_ guest: TestGuest, _ spec: Guest) throws -> String {
    var facts = try guest.facts(for: spec)
    if spec.needsScratch {
      facts.hostSide.scratch = guest.directory + "/scratch"
      mkdir(guest.directory + "/scratch", 0o755)
    }
    return try guest.output(of: plan(spec, facts))
  }

  @Test("a guest with Directory= has that directory as its root, and its files stay there")
  func directory() throws {
    let guest = try TestGuest()
    #expect(try run(guest, directoryGuest(guest, "echo hi >/left; ls -d /usr/bin")) == "/usr/bin\n")
    #expect(try readFile(guest.directory + "/root/left", limit: 10) == Array("hi\n".utf8))
  }

  @Test("with ReadOnly=yes the root is read-only, and the file systems mounted in it are writable")
  func readOnly() throws {
    let guest = try TestGuest()
    var spec = try directoryGuest(guest, "touch /x; touch /usr/x; touch /run/x && echo run")
    mkdir(guest.directory + "/root/usr", 0o755)
    spec.files.readOnly = true
    let text = try run(guest, spec)
    #expect(text.matches(of: /Read-only file system/).count == 2, "\(text)")
    #expect(text.hasSuffix("run\n"), "\(text)")
  }

  @Test("with Volatile=state the root is read-only, and /var is empty and writable")
  func state() throws {
    let guest = try TestGuest()
    var spec = try directoryGuest(guest, "touch /x; ls /var; touch /var/y && echo var")
    mkdir(guest.directory + "/root/usr", 0o755)
    mkdir(guest.directory + "/root/var", 0o755)
    mkdir(guest.directory + "/root/var/old", 0o755)
    spec.files.volatile = .state
    let text = try run(guest, spec)
    #expect(text.contains("Read-only file system"), "\(text)")
    #expect(text.hasSuffix("var\n") && !text.contains("old"), "\(text)")
  }

  @Test("with Volatile=overlay the guest can write everywhere, and the root directory does not change")
  func overlay() throws {
    let guest = try TestGuest()
    var spec = try directoryGuest(guest, "echo new >/kept; touch /more && cat /kept /etc/machine-id")
    mkdir(guest.directory + "/root/etc", 0o755)
    try writeFile(guest.directory + "/root/kept", "old\n")
    spec.files.volatile = .overlay
    #expect(try run(guest, spec) == "new\n0123456789abcdef0123456789abcdef\n")
    #expect(try readFile(guest.directory + "/root/kept", limit: 10) == Array("old\n".utf8))
    #expect(access(guest.directory + "/root/more", F_OK) == -1)
  }

  @Test(
    "Bind= mounts directories and files, read-only if asked, scratch directories, and skips an optional source that is missing"
  )
  func binds() throws {
    let guest = try TestGuest()
    let source = guest.directory + "/source"
    mkdir(source, 0o755)
    try writeFile(source + "/file", "text\n")
    var spec = guest.shell(
      "cat /a/b/file /deep/copy; touch /a/b/x; touch /w/y /fresh/z; echo $?; ls -d /none; ls -A /hidden; cat /secret; "
        + "stat -fc %T /t; touch /t/q")
    spec.files.mounts = [
      .bind(source: source, destination: "/a/b", readOnly: true, recursive: true, optional: false),
      .bind(source: source + "/file", destination: "/deep/copy", readOnly: false, recursive: true, optional: false),
      .bind(source: source, destination: "/w", readOnly: false, recursive: false, optional: false),
      .bind(source: "", destination: "/fresh", readOnly: false, recursive: true, optional: false),
      .bind(source: "/does/not/exist", destination: "/none", readOnly: false, recursive: true, optional: true),
      .bind(source: source, destination: "/hidden", readOnly: false, recursive: true, optional: false),
      .inaccessible(path: "/hidden"),
      .bind(source: source + "/file", destination: "/secret", readOnly: false, recursive: true, optional: false),
      .inaccessible(path: "/secret"),
      .temporaryFileSystem(path: "/t", options: "ro,size=1m"),
    ]
    let text = try run(guest, spec)
    #expect(
      text == """
        text
        text
        touch: cannot touch '/a/b/x': Read-only file system
        0
        ls: cannot access '/none': No such file or directory
        tmpfs
        touch: cannot touch '/t/q': Read-only file system

        """)
    #expect(access(source + "/y", F_OK) == 0)
    #expect(access(guest.directory + "/scratch/0/z", F_OK) == 0)
  }

  @Test("a symbolic link in the root is resolved inside the root")
  func symbolicLinks() throws {
    let guest = try TestGuest()
    let outside = guest.directory + "/outside"
    mkdir(outside, 0o755)
    var spec = try directoryGuest(
      guest, "cat /escape/made/file; ls -1 \(outside)", links: [("escape", outside), ("run", outside + "/run")])
    let inner = (["/root"] + outside.split(separator: "/").map { "/" + $0 }).reduce(guest.directory) {
      mkdir($0 + $1, 0o755)
      return $0 + $1
    }
    mkdir(inner + "/run", 0o755)
    try writeFile(guest.directory + "/file", "inside\n")
    spec.files.mounts.append(
      .bind(source: guest.directory, destination: "/escape/made", readOnly: true, recursive: true, optional: false))
    #expect(try run(guest, spec) == "inside\nmade\nrun\n")
    #expect(try directoryEntries(outside).isEmpty)
  }

  @Test("a mount in the guest does not propagate to the host, and one on the host below a bind propagates to the guest")
  func propagation() throws {
    let guest = try TestGuest()
    let shared = guest.directory + "/shared"
    mkdir(shared, 0o755)
    try retrying("mount") { mount("test", shared, "tmpfs", 0, nil) }
    defer { umount2(shared, Int32(MNT_DETACH)) }
    try retrying("mount") { mount(nil, shared, nil, UInt(MS_SHARED), nil) }
    mkdir(shared + "/guest", 0o755)
    mkdir(shared + "/host", 0o755)
    var spec = guest.shell(
      "mount -t tmpfs of-the-guest /b/guest && echo mounted; read line; grep -c of-the-host /proc/self/mountinfo")
    spec.files.mounts = [
      .bind(source: shared, destination: "/b", readOnly: false, recursive: true, optional: false)
    ]
    let process = try guest.launch(plan(spec, guest.facts(for: spec)))
    let console = try #require(process.console)
    TestGuest.wait(console, POLLIN, milliseconds: 60_000)
    let seen = try MountInfo.read().map(\.source)
    #expect(!seen.contains("of-the-guest"))
    try retrying("mount") { mount("of-the-host", shared + "/host", "tmpfs", 0, nil) }
    defer { umount2(shared + "/host", Int32(MNT_DETACH)) }
    write(console, "\n", 1)
    #expect(try TestGuest.drain(process).split(separator: "\n").last == "1")
  }
}
