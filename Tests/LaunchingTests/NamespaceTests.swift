import CLaunch
import Glibc
import GuestSpec
import Launching
import Linux
import Planning
import Testing

@Suite("The namespaces of a guest")
struct NamespaceTests {
  @Test(
    "a guest's network namespace exists before the guest, has a loopback interface, and belongs to the guest's user namespace"
  )
  func made() throws {
    let map = IDMap(base: 0x30_0000, count: 65536)
    let namespaces = try GuestNamespaces(users: map, network: .own)
    let users = try #require(namespaces.users).descriptor.raw
    let network = try #require(namespaces.network).descriptor.raw
    #expect(Self.name(network) != Self.name(ofOwn: "net"))
    #expect(Self.name(users) != Self.name(ofOwn: "user"))
    #expect(Self.owner(of: network) == Self.inode(users))
    let seen = try Self.output(
      "nsenter --net=/proc/\(getpid())/fd/\(network) ls /sys/class/net; nsenter "
        + "--user=/proc/\(getpid())/fd/\(users) --net=/proc/\(getpid())/fd/\(network) cat /proc/self/uid_map /proc/self/gid_map"
    )
    let row = ["0", "3145728", "65536"]
    #expect(seen.split(separator: "\n").suffix(2).map { $0.split(separator: " ").map(String.init) } == [row, row])
  }

  @Test("no process is in a guest's namespaces before the guest is launched")
  func empty() throws {
    let namespaces = try GuestNamespaces(users: IDMap(base: 0x30_0000, count: 1), network: .own)
    let users = try #require(namespaces.users).descriptor.raw
    let network = try #require(namespaces.network).descriptor.raw
    for entry in try directoryEntries("/proc") where Int32(entry) != nil {
      #expect(Self.link("/proc/\(entry)/ns/user") != Self.name(users))
      #expect(Self.link("/proc/\(entry)/ns/net") != Self.name(network))
    }
  }

  @Test("a network namespace given by its path is used as it is, and an error names a path that does not exist")
  func path() throws {
    let own = try GuestNamespaces(users: nil, network: .at(path: "/proc/self/ns/net"))
    #expect(try Self.name(#require(own.network).descriptor.raw) == Self.name(ofOwn: "net"))
    let error = try #require(throws: LaunchError.self) { try GuestNamespaces(users: nil, network: .at(path: "/none")) }
    #expect(error.description == "opening the network namespace /none: No such file or directory")
  }

  @Test("a user namespace belongs to the guest's root, and the daemon that made it is still root")
  func owner() throws {
    let made = try GuestNamespaces(users: IDMap(base: 0x3004_0000, count: 65536), network: .own)
    var owner: UInt32 = 0
    let users = try #require(made.users).descriptor.raw
    // NS_GET_OWNER_UID
    #expect(ioctl(users, 0xb704, &owner) == 0)
    #expect(owner == 0x3004_0000)
    #expect(geteuid() == 0)
  }

  @Test("when clone3(2) makes no process to hold namespaces, the release kills no process and closes no descriptor")
  func noHolder() {
    var holder = launch_holder()
    holder.pid = getpid()
    // CLONE_THREAD without CLONE_SIGHAND: the kernel refuses it.
    #expect(launch_hold(0x10000, 0, 0, &holder) == -Int(EINVAL))
    let open = fcntl(0, F_GETFD)
    launch_release(&holder)
    #expect(open != -1 && fcntl(0, F_GETFD) == open)
  }

  @Test("an error names the IDs of an ID map that the kernel refuses")
  func wrongMap() throws {
    let map = IDMap(base: 4_294_967_290, count: 65536)
    let error = try #require(throws: LaunchError.self) { try GuestNamespaces(users: map, network: .host) }
    #expect(error.step.hasPrefix("mapping the guest's users to 4294967290…4295032825 (write /proc/"))
    #expect(error.errno == EINVAL)
  }

  private static func name(_ descriptor: Int32) -> String { link("/proc/self/fd/\(descriptor)") }

  private static func name(ofOwn kind: String) -> String { link("/proc/self/ns/" + kind) }

  private static func link(_ path: String) -> String {
    var target = [CChar](repeating: 0, count: 256)
    readlink(path, &target, 255)
    return String(decoding: target.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func inode(_ descriptor: Int32) -> UInt64 {
    var status = stat()
    fstat(descriptor, &status)
    return UInt64(status.st_ino)
  }

  /// NS_GET_USERNS of ioctl_ns(2).
  private static func owner(of namespace: Int32) -> UInt64 {
    let owner = ioctl(namespace, 0xb701)
    defer { close(owner) }
    return inode(owner)
  }

  private static func output(_ command: String) throws -> String {
    guard let pipe = popen(command, "r") else { throw SystemError("popen", errno: errno) }
    defer { pclose(pipe) }
    var text = ""
    var line = [CChar](repeating: 0, count: 4096)
    while fgets(&line, Int32(line.count), pipe) != nil {
      text += String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    return text
  }
}
