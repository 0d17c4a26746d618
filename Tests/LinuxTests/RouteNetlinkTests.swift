import CLinux
import Glibc
import Testing

@testable import Linux

@Suite("rtnetlink")
struct RouteNetlinkTests {
  private let here: [UInt8] = [2, 0, 0, 0, 0, 1]
  private let there: [UInt8] = [2, 0, 0, 0, 0, 2]

  @Test("a virtual Ethernet link has one end here, up, and one in another namespace, and both are removed together")
  func virtualEthernet() throws {
    try inNetworkNamespace {
      let guest = try otherNamespace()
      let netlink = try RouteNetlink()
      let inside = try RouteNetlink(in: guest)
      try netlink.makeVirtualEthernet("ve-web", address: here, peer: .init(guest, name: "host0", address: there))
      let host = try netlink.link("ve-web")
      #expect(host.kind == "veth")
      #expect(try isUp("ve-web"))
      #expect(host.address == here)
      #expect(try inside.link("host0").address == there)
      #expect(try netlink.links().map(\.name).sorted() == ["lo", "ve-web"])
      #expect(try inside.links().map(\.name).sorted() == ["host0", "lo"])
      try netlink.delete(host)
      #expect(throws: SystemError("looking up the interface host0", errno: ENODEV)) { try inside.link("host0") }
      #expect(throws: SystemError("removing the interface ve-web", errno: ENODEV)) { try netlink.delete(host) }
    }
  }

  @Test("a virtual Ethernet link is made as a port of its bridge")
  func bridge() throws {
    try inNetworkNamespace {
      let guest = try otherNamespace()
      let netlink = try RouteNetlink()
      try netlink.makeBridge("vz-office")
      let bridge = try netlink.link("vz-office")
      #expect(bridge.kind == "bridge")
      #expect(try isUp("vz-office"))
      try netlink.makeVirtualEthernet(
        "vb-web", address: here, master: bridge.index, peer: .init(guest, name: "host0", address: there))
      #expect(try netlink.link("vb-web").master == bridge.index)
    }
  }

  @Test("a MACVLAN interface is made on top of an interface, in another namespace")
  func macvlan() throws {
    try inNetworkNamespace {
      let guest = try otherNamespace()
      let netlink = try RouteNetlink()
      try netlink.makeVirtualEthernet("eth0", address: here, peer: .init(guest, name: "wire"))
      try netlink.makeMACVLAN(on: netlink.link("eth0"), at: .init(guest, name: "mv-eth0", address: there))
      let made = try RouteNetlink(in: guest).link("mv-eth0")
      #expect(made.kind == "macvlan")
      #expect(made.address == there)
    }
  }

  @Test("an IPVLAN interface is made, or the error says that the kernel does not support it")
  func ipvlan() throws {
    try inNetworkNamespace {
      let guest = try otherNamespace()
      let netlink = try RouteNetlink()
      try netlink.makeVirtualEthernet("eth0", address: here, peer: .init(guest, name: "wire"))
      do throws(SystemError) {
        try netlink.makeIPVLAN(on: netlink.link("eth0"), at: .init(guest, name: "iv-eth0"))
        #expect(try RouteNetlink(in: guest).link("iv-eth0").kind == "ipvlan")
      } catch {
        #expect(error == SystemError("making an IPVLAN interface on eth0 (Unknown device type)", errno: EOPNOTSUPP))
      }
    }
  }

  @Test("an interface is moved to another namespace and back under its name, whatever its name is there")
  func move() throws {
    try inNetworkNamespace {
      let home = try NetworkNamespace.own()
      let guest = try otherNamespace()
      let netlink = try RouteNetlink()
      let inside = try RouteNetlink(in: guest)
      try netlink.makeVirtualEthernet("eth0", address: here, peer: .init(home, name: "wire"))
      try netlink.move(netlink.link("eth0"), to: guest, as: "inner")
      #expect(throws: SystemError.self) { try netlink.link("eth0") }
      try inside.move(inside.link("inner"), to: home, as: "eth0")
      #expect(try netlink.link("eth0").address == here)
      #expect(try inside.links().map(\.name) == ["lo"])
      #expect(throws: SystemError.self) { try netlink.move(netlink.link("lo"), to: guest, as: "lo1") }
    }
  }

  @Test("an interface whose name is taken is not made, and the error says why")
  func taken() throws {
    try inNetworkNamespace {
      let guest = try otherNamespace()
      let netlink = try RouteNetlink()
      try netlink.makeBridge("ve-web")
      #expect(throws: SystemError("making the virtual Ethernet link ve-web", errno: EEXIST)) {
        try netlink.makeVirtualEthernet("ve-web", address: here, peer: .init(guest, name: "host0"))
      }
      #expect(try RouteNetlink(in: guest).links().map(\.name) == ["lo"])
    }
  }

  @Test("an interface is found by its alternative name, which may be long")
  func alternativeName() throws {
    try inNetworkNamespace {
      let netlink = try RouteNetlink()
      try netlink.makeBridge("br0")
      for name in ["short", "a-name-of-more-than-fifteen-characters"] {
        try netlink.addAlternativeName(name, to: netlink.link("br0"))
        #expect(try netlink.link(name).name == "br0")
      }
      #expect(throws: SystemError("looking up the interface another-name-of-many-characters", errno: ENODEV)) {
        try netlink.link("another-name-of-many-characters")
      }
    }
  }
}

@Suite("Network namespaces")
struct NetworkNamespaceTests {
  @Test("a pinned network namespace exists without a process until it is unpinned")
  func pin() throws {
    try inTemporaryDirectory { directory in
      let path = directory + "/web.netns"
      let made = try otherNamespace()
      let inode = try inode(of: made)
      try NetworkNamespace.pin(made, at: path)
      let found = try NetworkNamespace.open(path)
      #expect(try self.inode(of: found) == inode)
      NetworkNamespace.unpin(path)
      #expect(throws: SystemError("open \(path)", errno: ENOENT)) { _ = try NetworkNamespace.open(path).release() }
    }
  }

  @Test(
    "a file that is not a network namespace is not opened, and the error says so",
    arguments: ["/proc/self/ns/uts", "/proc/self/status", "/dev/null", "/tmp"])
  func other(path: String) {
    #expect(throws: SystemError("open \(path) (not a network namespace)", errno: EINVAL)) {
      _ = try NetworkNamespace.open(path).release()
    }
  }

  @Test("a thread stays in its network namespace when it makes a socket in another one")
  func back() throws {
    try inNetworkNamespace {
      let before = try inode(of: NetworkNamespace.own())
      _ = try RouteNetlink(in: otherNamespace())
      #expect(try inode(of: NetworkNamespace.own()) == before)
    }
  }

  private func inode(of file: borrowing OwnedFD) throws(SystemError) -> UInt {
    var status = stat()
    let raw = file.raw
    try retrying("fstat") { fstat(raw, &status) }
    return UInt(status.st_ino)
  }
}

/// A new network namespace without a process in it.
private func otherNamespace() throws(SystemError) -> OwnedFD {
  let home = try NetworkNamespace.own()
  try retrying("unshare") { unshare(LINUX_CLONE_NEWNET) }
  defer {
    if setns(home.raw, LINUX_CLONE_NEWNET) != 0 { Issue.record("the thread is left in a network namespace") }
  }
  return try NetworkNamespace.own()
}
