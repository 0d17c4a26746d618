import GuestSpec
import Testing
import UnitSyntax

@testable import GuestFiles

@Suite("The socket units that are enabled in a guest's root")
final class GuestUnitsTests {
  private let tree: FilesTree
  private var guest = Guest(name: "web")

  init() throws {
    tree = try FilesTree()
    guest.policy.directory = tree.path("root")
    try tree.add("root/usr/lib/systemd/systemd", "x")
    try tree.link("root/lib", to: "usr/lib")
    try tree.add("root/usr/lib/systemd/system/h.socket", "[Socket]\nListenStream=80\n")
    try tree.makeDirectory("root/etc/systemd/system")
  }

  private func enable(_ name: String, in folder: String = "root/etc/systemd/system/sockets.target.wants") throws {
    try tree.link("\(folder)/\(name)", to: "/usr/lib/systemd/system/\(name)")
  }

  /// `UNIT ADDRESS…` of each enabled socket.
  private var enabled: [String]? {
    GuestUnits(guest)?.enabledSockets().map { unit in
      ([unit.name] + unit.addresses.map(\.listen.address.description)).joined(separator: " ")
    }
  }

  @Test("A socket unit is enabled only if it is linked, and an absolute link leads within the guest's root")
  func links() throws {
    #expect(enabled == [])
    try enable("h.socket")
    #expect(enabled == ["h.socket [::]:80"])
  }

  @Test(
    "A socket unit may be linked in any target but those of special boots, in any directory", arguments: [true, false])
  func targets(isUsual: Bool) throws {
    try tree.link(
      "root/usr/lib/systemd/system/\(isUsual ? "h.service.requires" : "rescue.target.wants")/h.socket",
      to: "../h.socket")
    #expect(enabled?.isEmpty == !isUsual)
  }

  @Test("Unit files, drop-ins and masks below /etc have precedence")
  func precedence() throws {
    try enable("h.socket")
    try tree.add("root/etc/systemd/system/h.socket", "[Socket]\nListenStream=81\n")
    #expect(enabled == ["h.socket [::]:81"])
    try tree.add("root/usr/lib/systemd/system/h.socket.d/a.conf", "[Socket]\nListenStream=82\n")
    try tree.add("root/etc/systemd/system/socket.d/b.conf", "[Socket]\nListenStream=83\n")
    #expect(enabled == ["h.socket [::]:81 [::]:82 [::]:83"])
    try tree.link("root/etc/systemd/system/h.socket.d/a.conf", to: "/dev/null")
    #expect(enabled == ["h.socket [::]:81 [::]:83"])
  }

  @Test(
    "A socket unit is not enabled if it is masked, or its link is",
    arguments: ["h.socket", "sockets.target.wants/h.socket"])
  func masks(masked: String) throws {
    try enable("h.socket", in: "root/usr/lib/systemd/system/sockets.target.wants")
    #expect(enabled?.count == 1)
    try tree.link("root/etc/systemd/system/\(masked)", to: "/dev/null")
    #expect(enabled == [])
  }

  @Test("An instance is read from its template, and an alias is the unit that it stands for")
  func names() throws {
    try tree.add("root/usr/lib/systemd/system/t@.socket", "[Socket]\nListenStream=/run/%i\n")
    try tree.add("root/usr/lib/systemd/system/t@a.socket.d/x.conf", "[Socket]\nListenStream=/run/%i-more\n")
    try tree.link("root/etc/systemd/system/sockets.target.wants/t@a.socket", to: "/usr/lib/systemd/system/t@.socket")
    try tree.link("root/etc/systemd/system/alias.socket", to: "/usr/lib/systemd/system/h.socket")
    try enable("alias.socket")
    try enable("h.socket")
    #expect(enabled == ["h.socket [::]:80", "t@a.socket /run/a /run/a-more"])
  }

  @Test("No symbolic link leads out of the guest's root, and a loop of links ends")
  func confinement() throws {
    try tree.add("secret", "[Socket]\nListenStream=1\n")
    try tree.link("root/etc/systemd/system/out.socket", to: "../../../../../../../../" + tree.path("secret"))
    try tree.link("root/etc/systemd/system/up.socket", to: "../../../../secret")
    try tree.link("root/etc/systemd/system/loop.socket", to: "loop.socket")
    for name in ["out.socket", "up.socket", "loop.socket", "h.socket"] { try enable(name) }
    #expect(enabled == ["h.socket [::]:80"])
  }

  @Test("Units that are mounted into the guest are found, and what a mount hides is not")
  func mounts() throws {
    try tree.add("units/m.socket", "[Socket]\nListenStream=90\n")
    try tree.link("units/sockets.target.wants/m.socket", to: "/etc/systemd/system/m.socket")
    try enable("h.socket")
    guest.files.mounts = [bind("units", "/etc/systemd/system")]
    #expect(enabled == ["m.socket [::]:90"])
    guest.files.volatile = .yes
    #expect(enabled == ["m.socket [::]:90"])
    guest.files.mounts = []
    #expect(enabled == [])
    guest.files.volatile = .overlay
    #expect(enabled == ["h.socket [::]:80"])
    guest.files.mounts = [.inaccessible(path: "/usr/lib/systemd/system/h.socket")]
    #expect(enabled == [])
    guest.files.mounts = [.temporaryFileSystem(path: "/etc/systemd", options: "mode=0755")]
    #expect(enabled == [])
  }

  @Test("A single unit file may be mounted, also at a path that leads through a link")
  func mountedFile() throws {
    try tree.add("one.socket", "[Socket]\nListenStream=90\n")
    try enable("one.socket")
    guest.files.mounts = [bind("one.socket", "/lib/systemd/system/one.socket")]
    #expect(enabled == ["one.socket [::]:90"])
  }

  @Test("An optional mount whose source does not exist hides nothing")
  func optionalMount() throws {
    try enable("h.socket")
    guest.files.mounts = [bind("none", "/etc/systemd/system", optional: true)]
    #expect(enabled == ["h.socket [::]:80"])
  }

  @Test("A guest whose PID 1 is not systemd has no units")
  func otherInit() throws {
    guest.exec.boot = false
    #expect(GuestUnits(guest) == nil)
    guest.exec.boot = true
    guest.policy.directory = tree.path("none")
    #expect(GuestUnits(guest) == nil)
  }

  @Test("A socket that an enabled service requires is enabled too, and is searched for only when an address is missing")
  func references() throws {
    let unit = "[Unit]\nRequires=a.service h.socket\n[Install]\nWantedBy=multi-user.target\n"
    try tree.add("root/usr/lib/systemd/system/h.service", unit)
    try enable("h.service", in: "root/etc/systemd/system/multi-user.target.wants")
    #expect(enabled == [])
    try tree.add("conf/web.guest", "[Guest]\nDirectory=\(tree.path("root"))\n[Socket]\nListenStream=80\n")
    let loaded = GuestFiles(searchPath: [tree.path("conf")]).loadAll()["web"]
    let agreement = loaded?.socketAgreement()
    #expect(agreement?.claims.map(\.unit) == ["h.socket"])
    #expect(agreement?.disagreements == [])
  }

  @Test(
    "A guest's units are not read beyond a limit, and then nothing is said about its sockets but that",
    arguments: [
      ("large file", "larger than 64 KiB"), ("many names", "more than 1000 names"), ("many bytes", "256 KiB"),
      ("many files", "8192 files"),
    ])
  func limits(attack: String, words: String) throws {
    let folder = "root/etc/systemd/system"
    switch attack {
    case "large file":
      try tree.add("\(folder)/h.socket", "[Socket]\n" + String(repeating: "#", count: 64 << 10))
      try enable("h.socket")
    case "many names":
      for number in 0...1000 { try tree.link("\(folder)/sockets.target.wants/\(number).socket", to: "../h.socket") }
    case "many bytes":
      for number in 0..<5 {
        try tree.add("\(folder)/\(number).socket", "[Socket]\n" + String(repeating: "#", count: 60_000))
        try tree.link("\(folder)/sockets.target.wants/\(number).socket", to: "../\(number).socket")
      }
    default:
      for number in 0..<900 { try tree.link("\(folder)/sockets.target.wants/\(number).socket", to: "../h.socket") }
    }
    try tree.add("conf/web.guest", "[Guest]\nDirectory=\(tree.path("root"))\n[Socket]\nListenStream=81\n")
    let agreement = try #require(GuestFiles(searchPath: [tree.path("conf")]).loadAll()["web"]?.socketAgreement())
    #expect(agreement.claims.isEmpty && agreement.disagreements.count == 1)
    #expect(agreement.disagreements.first?.message.contains(words) == true, "\(agreement.disagreements)")
  }

  @Test("A disagreement of a guest's socket units with its file names the guest and its unit file")
  func disagreement() throws {
    try tree.add("root/etc/systemd/system/h.socket", "[Socket]\nListenStream=80\nListenStream=81\n")
    try enable("h.socket")
    try tree.add("conf/web.guest", "[Guest]\nDirectory=\(tree.path("root"))\n[Socket]\nListenStream=80\n")
    let messages = GuestFiles(searchPath: [tree.path("conf")]).loadAll()["web"]?.socketAgreement()?.disagreements ?? []
    #expect(messages.map(\.file) == ["web:/etc/systemd/system/h.socket"])
    #expect(messages.map(\.line) == [3])
  }

  private func bind(_ source: String, _ destination: String, optional: Bool = false) -> CustomMount {
    .bind(
      source: tree.path(source), destination: destination, readOnly: true, recursive: true, optional: optional)
  }
}
