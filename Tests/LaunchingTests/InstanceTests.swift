import Glibc
import GuestSpec
import Linux
import Testing

@testable import Launching

@Suite("The name of an instance")
struct InstanceNameTests {
  @Test(
    "an instance's name is read as guest and number, and the number follows the last dot",
    arguments: [
      ("web.3", InstanceName("web", 3)), ("web.example.12", InstanceName("web.example", 12)),
      ("web.0", InstanceName("web", 0)), ("a.4294967295", InstanceName("a", .max)), (".1.2", InstanceName(".1", 2)),
    ])
  func read(text: String, name: InstanceName) {
    #expect(InstanceName(text) == name)
    #expect(name.description == text)
  }

  @Test(
    "a text that is not exactly how an instance's name is written is refused",
    arguments: [
      "", ".", "web", "web.", ".3", "3", "web.x", "web.+3", "web.-3", "web.03", "web.3 ", "web.3.", "web.4294967296",
      "web.٣",
    ])
  func refused(text: String) { #expect(InstanceName(text) == nil) }

  @Test("the names of cgroup, scope and files derive from the instance's name")
  func derived() {
    let name = InstanceName("web", 3)
    #expect(name.cgroup == "web.3.guest")
    #expect(name.scope == "dormouse-web.3.scope")
    let files = InstanceName.File.allCases.map { name.path(of: $0, in: "/run/dormouse") }
    #expect(
      files == ["cgroup", "network", "netns", "notify"].map { "/run/dormouse/web.3.\($0)" })
  }

  @Test("the files of instances are found in the runtime directory, and other files are ignored")
  func files() throws {
    let directory = try ScratchDirectory(named: "runtime")
    let names = [
      "web.3.cgroup", "web.3.notify", "web.11.network", "a.b.1.netns", "web.notify", "web.kmsg", "web.number",
      "io.dormouse", ".cgroup",
    ]
    for name in names { try writeFile("\(directory.path)/\(name)", "") }
    let expected: [InstanceName: Set<InstanceName.File>] = [
      InstanceName("web", 3): [.record, .notifySocket], InstanceName("web", 11): [.network],
      InstanceName("a.b", 1): [.networkNamespace],
    ]
    #expect(try InstanceName.files(in: directory.path) == expected)
  }

  @Test("the scopes of instances are found in the cgroup of their slice, and other units are ignored")
  func scopes() throws {
    let slice = try ScratchDirectory(named: "slice")
    for name in [
      "dormouse-web.3.scope", "dormouse-a.b.1.scope", "dormouse-web.scope", "dormouse.service", "web.4.scope",
    ] {
      mkdir("\(slice.path)/\(name)", 0o755)
    }
    let expected = [InstanceName("web", 3): "dormouse-web.3.scope", InstanceName("a.b", 1): "dormouse-a.b.1.scope"]
    #expect(try InstanceName.scopes(in: slice.path) == expected.mapValues { "\(slice.path)/\($0)" })
  }

  @Test("instances of a guest are sorted by number, not by text")
  func sorted() {
    let names = ["web.10", "web.9", "db.11"].compactMap { InstanceName($0) }
    #expect(names.sorted().map(\.description) == ["db.11", "web.9", "web.10"])
  }
}

@Suite("The numbers of instances")
struct InstanceNumbersTests {
  /// Three directories. `base` stands for the cgroup that the instances' cgroups lie in.
  private struct Host {
    let runtime: ScratchDirectory
    let base: ScratchDirectory
    /// Stands for the cgroup that their scopes lie in.
    let slice: ScratchDirectory

    init() throws {
      runtime = try ScratchDirectory(named: "runtime")
      base = try ScratchDirectory(named: "cgroup")
      slice = try ScratchDirectory(named: "slice")
    }

    func next(_ guest: String = "web") throws -> String {
      try InstanceNumbers(runtime: runtime.path).next(for: guest, in: base.path, slice: slice.path).description
    }

    func addCgroup(_ name: String) { mkdir("\(base.path)/\(name)", 0o755) }
    func add(_ name: String, _ text: String = "") throws { try writeFile("\(runtime.path)/\(name)", text) }
    var counter: String {
      String(decoding: (try? readFile("\(runtime.path)/web.number", limit: 64)) ?? [], as: UTF8.self)
    }
  }

  @Test("each instance of a guest gets the number after the guest's last one")
  func counted() throws {
    let host = try Host()
    #expect(try [host.next(), host.next(), host.next("db"), host.next()] == ["web.1", "web.2", "db.1", "web.3"])
  }

  @Test("the number of a new instance is on file when it is returned")
  func written() throws {
    let host = try Host()
    _ = try host.next()
    #expect(host.counter == "1\n")
    _ = try host.next()
    #expect(host.counter == "2\n")
  }

  @Test(
    "a number that a cgroup or a file in the runtime directory has is not chosen again, whatever the counter file says")
  func found() throws {
    let host = try Host()
    host.addCgroup("web.4.guest")
    host.addCgroup("web.x.9.guest")
    host.addCgroup("db.30.guest")
    host.addCgroup("web.20")
    #expect(try host.next() == "web.5")
    try host.add("web.7.network")
    #expect(try host.next() == "web.8")
    try host.add("web.number", "2\n")
    #expect(try host.next() == "web.8")
    // The scope of another daemon's guest counts too: no two scopes have one name.
    mkdir("\(host.slice.path)/dormouse-web.11.scope", 0o755)
    #expect(try host.next() == "web.12")
  }

  @Test(
    "with a damaged counter file, the number follows the highest one that is found",
    arguments: [
      "", "\n", "x", "-1", "99999999999", "4294967295\n", "4294967296\n", "3 4\n", "\u{0}\u{1}",
      String(repeating: "1", count: 100_000),
    ])
  func damaged(text: String) throws {
    let host = try Host()
    try host.add("web.number", text)
    host.addCgroup("web.6.guest")
    #expect(try host.next() == "web.7")
    #expect(host.counter == "7\n")
  }

  @Test("a cgroup with the greatest number that exists causes no overflow")
  func greatest() throws {
    let host = try Host()
    host.addCgroup("web.4294967295.guest")
    #expect(try host.next() == "web.1")
    host.addCgroup("web.4294967294.guest")
    #expect(try host.next() == "web.4294967295")
  }

  @Test("no number is chosen when the search for earlier instances fails")
  func unreadable() throws {
    let host = try Host()
    let numbers = InstanceNumbers(runtime: host.runtime.path)
    #expect(throws: SystemError.self) { try numbers.next(for: "web", in: host.base.path + "/none") }
    #expect(host.counter == "")
  }
}
