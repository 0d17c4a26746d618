import Glibc
import GuestSpec
import Linux

// The settings of a [Socket] section in the terms of the kernel.

extension SocketAddress {
  /// - Throws: `SystemError` when the address names an interface that does not exist.
  init(_ address: ListenAddress, hasIPv6: Bool = Self.hasIPv6) throws(SystemError) {
    switch address {
    // Without IPv6, systemd binds a port without an address to IPv4.
    case .ipv6(let bytes, let port, nil) where !hasIPv6 && bytes.allSatisfy({ $0 == 0 }): self = .ipv4(.any, port: port)
    case .ipv4(let bytes, let port): self = .ipv4(IPv4Address(bytes: bytes) ?? .any, port: port)
    case .ipv6(let bytes, let port, let scope):
      let index = try scope.map { name throws(SystemError) in try interfaceIndex(named: name) } ?? 0
      self = .ipv6(IPv6Address(bytes: bytes) ?? .any, port: port, scope: index)
    case .path(let path): self = .path(path)
    case .abstract(let name): self = .abstract(name)
    }
  }

  /// Whether the kernel has IPv6.
  private static let hasIPv6 = access("/proc/net/if_inet6", F_OK) == 0
}

extension SocketOptions {
  /// - Throws: `SystemError` when this host does not know `SocketUser=` or `SocketGroup=`.
  init(_ group: SocketGroup) throws(SystemError) {
    self.init()
    backlog = group.backlog
    ipv6Only =
      switch group.bindIPv6Only {
      case .default: .default
      case .both: .both
      case .ipv6Only: .only
      }
    file.mode = UInt32(group.file.mode)
    file.directoryMode = UInt32(group.file.directoryMode)
    file.owner = try group.file.user.map(userID)
    file.group = try group.file.group.map(groupID)
    reusePort = group.reusePort
    freeBind = group.freeBind
    keepAlive.isOn = group.keepAlive.isOn
    keepAlive.time = group.keepAlive.time
    keepAlive.interval = group.keepAlive.interval
    keepAlive.probes = group.keepAlive.probes
    noDelay = group.noDelay
    receiveBuffer = group.receiveBuffer
    sendBuffer = group.sendBuffer
    deferAccept = group.deferAccept
  }
}

private func userID(_ name: String) throws(SystemError) -> UInt32 {
  if let number = UInt32(name) { return number }
  guard let entry = getpwnam(name) else { throw SystemError("SocketUser=\(name)", errno: ENOENT) }
  return entry.pointee.pw_uid
}

private func groupID(_ name: String) throws(SystemError) -> UInt32 {
  if let number = UInt32(name) { return number }
  guard let entry = getgrnam(name) else { throw SystemError("SocketGroup=\(name)", errno: ENOENT) }
  return entry.pointee.gr_gid
}
