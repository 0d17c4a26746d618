import Glibc
import GuestSpec
import Launching
import Linux
import Planning
import Testing

@Suite("The descriptors of PID 1")
struct DescriptorTests {
  /// Makes `count` listeners, and returns them with the inodes of their sockets.
  private func listeners(_ count: Int) throws -> (list: DescriptorList, inodes: [String]) {
    let list = DescriptorList()
    var inodes: [String] = []
    for _ in 0..<count {
      let flags = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
      let listener = OwnedFD(owning: try retrying("socket") { socket(AF_UNIX, flags, 0) })
      var status = stat()
      fstat(listener.raw, &status)
      inodes.append("socket:[\(status.st_ino)]")
      list.append(listener)
    }
    return (list, inodes)
  }

  @Test(
    "PID 1 has the console as descriptors 0 to 2, then the listeners in order, and no other descriptor",
    arguments: [0, 1, 20])
  func table(count: Int) throws {
    let guest = try TestGuest()
    let (list, inodes) = try listeners(count)
    let spec = guest.shell("find /proc/1/fd -type l -printf '%f %l\\n'; true")
    var facts = try guest.facts(for: spec)
    facts.listenerNames = (0..<count).map { "l\($0)" }
    let text = try guest.output(of: plan(spec, facts), listeners: list)
    let expected =
      (0..<3).map { "\($0) /dev/pts/0" } + inodes.enumerated().map { "\($0.offset + 3) \($0.element)" }
    #expect(text.split(separator: "\n").map(String.init).sorted() == expected.sorted())
  }

  @Test("a launch fails and starts nothing when the number of listeners is not the plan's")
  func otherListeners() throws {
    let guest = try TestGuest()
    let spec = guest.shell("true")
    let plan = try plan(spec, guest.facts(for: spec))
    #expect(throws: LaunchError("passing the listeners", errno: EINVAL)) {
      try guest.launch(plan, listeners: listeners(1).list)
    }
    #expect(try !guest.cgroup.isPopulated())
  }

  @Test("a launch fails and starts nothing in namespaces that were made for another plan")
  func otherNamespaces() throws {
    let guest = try TestGuest()
    let spec = guest.shell("true")
    var facts = try guest.facts(for: spec)
    facts.users = GuestUsers(IDMap(base: 0x30_0000, count: 65536), root: .none)
    let plan = try plan(spec, facts)
    let namespaces = try GuestNamespaces(users: nil, network: .host)
    #expect(throws: LaunchError("preparing the descriptor of users", errno: EBADF)) {
      _ = try start(
        plan, listeners: DescriptorList(), namespaces: namespaces, handed: HandedMounts(), cgroup: guest.cgroup)
    }
    #expect(try !guest.cgroup.isPopulated())
  }

  @Test("PID 1 gets its listeners in order even where the daemon's descriptor numbers overlap with the child's")
  func overlapping() throws {
    let guest = try TestGuest()
    // In reverse, so that the numbers overlap with the final ones.
    let list = DescriptorList()
    let (made, inodes) = try listeners(4)
    for number in made.numbers.reversed() { list.append(OwnedFD(owning: fcntl(number, F_DUPFD_CLOEXEC, 3))) }
    let spec = guest.shell("for f in 3 4 5 6; do readlink /proc/1/fd/$f; done")
    var facts = try guest.facts(for: spec)
    facts.listenerNames = ["a", "b", "c", "d"]
    let text = try guest.output(of: plan(spec, facts), listeners: list)
    #expect(text == inodes.reversed().map { $0 + "\n" }.joined())
  }
}
