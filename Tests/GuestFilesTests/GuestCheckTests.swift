import Glibc
import GuestSpec
import Linux
import Testing
import UnitSyntax

@testable import GuestFiles

@Suite("What dormouse check finds on this host and in a guest's root")
struct GuestCheckTests {
  private let tree: FilesTree

  init() throws {
    tree = try FilesTree()
    try tree.add("root/usr/lib/systemd/systemd", "x")
    try tree.add("root/bin/page", "x")
    try tree.add("root/etc/passwd", "root:x:0:0::/root:/bin/sh\nwww:x:33:33::/:/bin/sh\n")
    try tree.add("root/usr/lib/systemd/system/web.socket", "[Socket]\nListenStream=[::1]:80\n")
    try tree.link("root/etc/systemd/system/sockets.target.wants/web.socket", to: "/usr/lib/systemd/system/web.socket")
  }

  /// The problems of a guest, each as `LINE: MESSAGE`. Without a part of its own the guest has none.
  private func check(
    exec: String = "", files: String = "", socket: String = "ListenStream=[::1]:80\n", guest: String? = nil
  ) throws -> [String] {
    let directory = guest ?? "Directory=\(tree.path("root"))\n"
    try tree.add("etc/web.guest", "[Exec]\n\(exec)[Files]\n\(files)[Socket]\n\(socket)[Guest]\n\(directory)")
    return check("etc/web.guest")
  }

  private func check(_ path: String) -> [String] {
    GuestFiles.check(paths: [tree.path(path)], hostUnits: [tree.path("units")]).map {
      $0.description.replacing(tree.root + "/", with: "")
    }
  }

  @Test("a guest whose root and units fit has no problem")
  func sound() throws { #expect(try check() == []) }

  @Test("a root directory that is missing, or is none, is named with its line")
  func directory() throws {
    #expect(
      try check(guest: "Directory=\(tree.path("no"))\n").first?.hasPrefix("etc/web.guest:6: Directory=no cannot")
        == true)
    #expect(try check(guest: "Directory=\(tree.path("root/bin/page"))\n").first?.contains("is not a directory") == true)
    // Without the setting no line is wrong.
    #expect(try check(guest: "").first?.hasPrefix("etc/web.guest: /var/lib/machines/web, the root") == true)
  }

  @Test(
    "a program that is not in the guest's root is named, though this host has it",
    arguments: [("/usr/bin/env", 1), ("/bin/page", 0), ("page", 0)])
  func program(path: String, problems: Int) throws {
    let found = try check(exec: "Boot=no\nParameters=\(path) x\n")
    #expect(found.count == problems, "\(found)")
    #expect(found.allSatisfy { $0.hasPrefix("etc/web.guest:3: Parameters=\(path): root has no such file") })
  }

  @Test("a root without an init is named")
  func initProgram() throws {
    try tree.add("other/etc/passwd", "")
    let found = try check(guest: "Directory=\(tree.path("other"))\n")
    #expect(found.first?.contains("Boot=yes: other has no init (/usr/lib/systemd/systemd") == true, "\(found)")
  }

  @Test("a user that the guest's own passwd lacks is named, and numbers and root are not")
  func users() throws {
    func user(_ name: String) throws -> [String] { try check(exec: "Boot=no\nParameters=/bin/page\nUser=\(name)\n") }
    for good in ["www", "root", "12"] { #expect(try user(good) == []) }
    #expect(try user("daemon").first?.hasPrefix("etc/web.guest:4: User=daemon: root has no such user") == true)
  }

  @Test("an owner of a socket that this host does not know is named")
  func socketOwners() throws {
    let socket = "ListenStream=/run/dormouse-test.sock\nSocketUser=dormouse-nobody\nSocketGroup=dormouse-nobody\n"
    let found = try check(exec: "Boot=no\nParameters=/bin/page\n", socket: socket)
    #expect(
      found.map { $0.prefix(46) } == [
        "etc/web.guest:7: SocketUser=dormouse-nobody: t", "etc/web.guest:8: SocketGroup=dormouse-nobody: ",
      ])
    let known = "ListenStream=/run/dormouse-test.sock\nSocketUser=root\nSocketGroup=0\n"
    #expect(try check(exec: "Boot=no\nParameters=/bin/page\n", socket: known) == [])
  }

  @Test("a missing source of a bind mount or a credential is named, unless the file says that it may be missing")
  func sources() throws {
    let none = tree.path("none")
    func files(_ line: String) throws -> [String] { try check(files: line + "\n") }
    #expect(try files("BindReadOnly=\(none):/srv").first?.hasPrefix("etc/web.guest:3: BindReadOnly=none: ") == true)
    #expect(try files("Bind=-\(none):/srv") == [])
    #expect(try files("Bind=\(tree.path("root/bin")):/srv") == [])
    #expect(try files("Overlay=\(none)::/srv").first?.hasPrefix("etc/web.guest:3: Overlay= for /srv: none: ") == true)
    let credential = "Directory=\(tree.path("root"))\nLoadCredential=key:\(none)\n"
    #expect(try check(guest: credential).first?.hasPrefix("etc/web.guest:7: LoadCredential=key: ") == true)
  }

  @Test("paths that this user must not look at are no errors, and the remedy is to ask root")
  func unexamined() throws {
    try tree.add("closed/root/usr/lib/systemd/systemd", "x")
    try tree.add("closed/key", "x")
    let closed = tree.path("closed")
    let guest = "Directory=\(closed)/root\nLoadCredential=key:\(closed)/key\n"
    #expect(try !check(files: "Bind=\(closed)/key:/srv\n", guest: guest).contains { $0.contains("as this user") })
    chmod(tree.root, 0o755)
    chmod(closed, 0)
    let found = try asNobody { check("etc/web.guest") }
    chmod(closed, 0o755)
    let rest = "cannot be examined as this user (Permission denied); run dormouse check as root"
    #expect(
      found == [
        "etc/web.guest:7: warning: Directory=closed/root \(rest)", "etc/web.guest:3: warning: Bind=closed/key \(rest)",
        "etc/web.guest:8: warning: LoadCredential=key:closed/key \(rest)",
      ])
  }

  @Test("a root that this user must not look into is not judged by what seems to be missing in it")
  func closedRoot() throws {
    #expect(try check() == [])
    chmod(tree.root, 0o755)
    chmod(tree.path("root"), 0o700)
    let found = try asNobody { check("etc/web.guest") }
    #expect(found.last?.contains("cannot be examined as this user") == true, "\(found)")
    #expect(!found.contains { $0.contains("init") || $0.contains("ListenStream") }, "\(found)")
  }

  @Test("a root whose mode keeps the guest's own users out is named with the remedy")
  func closedToGuest() throws {
    chmod(tree.path("root"), 0o700)
    let found = try check()
    #expect(found.count == 1)
    #expect(
      found.first?.hasPrefix(
        "etc/web.guest:6: warning: Directory=root: its mode does not let others enter, so users in the guest cannot")
        == true, "\(found)")
    #expect(try !check(files: "Volatile=yes\n").contains { $0.contains("its mode") })
  }

  /// Runs `body` as a user without privileges over files. Only this thread is that user.
  private func asNobody<Result>(_ body: () throws -> Result) throws -> Result {
    // Glibc's module has no setfsuid(2), and seteuid(2) would change the user of other tests too.
    typealias SetUser = @convention(c) (uid_t) -> Int32
    let setUser = unsafeBitCast(try #require(dlsym(nil, "setfsuid")), to: SetUser.self)
    _ = setUser(65534)
    defer { _ = setUser(geteuid()) }
    return try body()
  }

  @Test("a guest without a socket is named")
  func noSocket() throws {
    #expect(try check(socket: "").last?.contains("only `dormouse wake`") == true)
  }

  @Test("an address that no enabled socket unit of the guest has is named with the near miss")
  func socketUnits() throws {
    let found = try check(socket: "ListenStream=80\n")
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix("etc/web.guest:4: warning: ListenStream=[::]:80: ") == true, "\(found)")
    #expect(found.first?.contains("web.socket has ListenStream=[::1]:80") == true, "\(found)")
  }

  @Test("a filter in the guest's socket unit that does not act on a passed socket is named")
  func filters() throws {
    try tree.add("root/etc/systemd/system/web.socket.d/a.conf", "[Socket]\nIPAddressDeny=any\n")
    let found = try check()
    #expect(found.count == 1)
    #expect(
      found.first?.hasPrefix("web:/etc/systemd/system/web.socket.d/a.conf:2: warning: IPAddressDeny=") == true,
      "\(found)")
  }

  @Test("a secret in a file that every user can read is named once for each file")
  func secret() throws {
    let lines = "Directory=\(tree.path("root"))\nSetCredential=a:x\nSetCredential=b:y\n"
    // FilesTree makes files that all can read.
    let found = try check(guest: lines)
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix("etc/web.guest:7: warning: SetCredential=: every user of this host can") == true)
    #expect(found.first?.contains(":x") == false)
    chmod(tree.path("etc/web.guest"), 0o640)
    #expect(check("etc/web.guest") == [])
  }

  @Test("a personality of 32-bit programs is named where the processor runs none")
  func personality() {
    var guest = Guest(name: "web")
    func problems(_ personality: Personality, runs32Bit: Bool) -> [String] {
      guest.exec.process.personality = personality
      let loaded = LoadedGuest(guest: guest, diagnostics: [], listeners: [], files: [])
      return PersonalityCheck.problems(of: CheckedGuest(loaded, hostUnits: []), runs32Bit: runs32Bit).map(\.message)
    }
    #expect(problems(.arm, runs32Bit: false).first?.hasPrefix("Personality=arm: this host's processor runs no") == true)
    #expect(problems(.arm, runs32Bit: true) == [])
    #expect(problems(.arm64, runs32Bit: false) == [])
  }

  @Test("sockets of a guest with a network of its own that this host cannot confine are named with the remedy")
  func confinement() throws {
    var guest = Guest(name: "web")
    func problems(_ obstacles: [SocketConfinement.Kind: SystemError]) -> [String] {
      let loaded = LoadedGuest(guest: guest, diagnostics: [], listeners: [], files: [])
      let subject = CheckedGuest(loaded, hostUnits: [tree.path("units")])
      return ConfinementCheck.problems(of: subject) { obstacles[$0] }.map(\.message)
    }
    let refused = SystemError("bpf BPF_PROG_ATTACH", errno: EPERM)
    var group = SocketGroup()
    group.listen = [
      Listen(.stream, .ipv4(address: [0, 0, 0, 0], port: 80)), Listen(.datagram, .path("/run/web.sock")),
      Listen(.stream, .path("/run/other.sock")),
    ]
    guest.sockets = [group]
    #expect(problems([.internet: refused]) == [])
    guest.network.isPrivate = true
    #expect(problems([:]) == [])
    let both = problems([.internet: refused])
    let start = "the guest has a network of its own, but this host cannot confine"
    #expect(both.count == 2)
    #expect(
      both.first?.hasPrefix("\(start) TCP and UDP sockets (bpf BPF_PROG_ATTACH: Operation not permitted), so") == true)
    #expect(both.first?.hasSuffix("use a kernel with CONFIG_BPF_SYSCALL and CONFIG_CGROUP_BPF") == true)
    let old = problems([.unixDatagrams: SystemError("confining", errno: EINVAL)])
    #expect(old.count == 1 && old.first?.contains("use Linux 6.7 or later, or ListenSequentialPacket=") == true)
    // The kernel has not been asked, so nothing is known of it.
    #expect(problems([.internet: SystemError("mkdir /sys/fs/cgroup/x", errno: EROFS)]) == [])
    try tree.add("units/dormouse@web.socket", "[Socket]\nListenDatagram=/run/web.sock\n")
    let held = problems([:])
    #expect(held.count == 1 && held.first?.contains("that dormouse@web.socket holds") == true)
  }

  @Test("an address of this host's socket unit that the guest file lacks is named, and the other way round")
  func hostSocketUnit() throws {
    try tree.add("units/dormouse@web.socket", "[Socket]\nListenStream=[::1]:81\n")
    let found = try check()
    #expect(found.count == 2)
    #expect(found.first?.hasPrefix("units/dormouse@web.socket:2: ListenStream=[::1]:81: the guest file has no") == true)
    #expect(
      found.first?.hasSuffix("write ListenStream=[::1]:81 instead of ListenStream=[::1]:80 in the guest file") == true)
    #expect(found.last?.hasPrefix("etc/web.guest:4: warning: ListenStream=[::1]:80: dormouse@web.socket of") == true)
    try tree.add("units/dormouse@web.socket", "[Socket]\nListenStream=[::1]:80\n")
    #expect(try check() == [])
  }

  @Test("two guests that would write to one tree are named, and two that only read it are not")
  func sharedDirectory() throws {
    func guest(_ name: String, _ port: Int, _ settings: String) throws {
      try tree.add(
        "all/\(name).guest",
        "[Exec]\nBoot=no\nParameters=/bin/page\n[Socket]\nListenStream=\(port)\n[Guest]\nDirectory=\(tree.path("root"))\n\(settings)"
      )
    }
    try guest("a", 80, "")
    try guest("b", 81, "[Files]\nVolatile=overlay\n")
    #expect(check("all").count == 1)
    #expect(check("all").first?.hasPrefix("all/b.guest:7: Directory=root is also the root of the guest a") == true)
    try guest("a", 80, "[Files]\nReadOnly=yes\n")
    #expect(check("all") == [])
  }

  @Test("nothing is said of what a guest with an error asks for, for its settings are not those that were meant")
  func errors() throws {
    #expect(try check(exec: "Boot=perhaps\n", guest: "").count == 1)
  }
}
