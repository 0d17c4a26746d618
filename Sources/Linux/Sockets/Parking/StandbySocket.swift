import CLinux
import Glibc

/// Makes the standby of a TCP or UDP socket, with the same options. It is non-blocking and closed on exec. It gets no clients before
/// `joinStandby(_:to:backlog:)`.
///
/// The kernel lets it join a socket with the same address, network namespace and user of the inode, so it gets that user.
/// - Parameters:
///   - socket: the primary, whose options are copied, including those that a guest has set.
///   - isConfined: as in ``SocketOptions``.
/// - Returns: the standby, not bound. When it is closed, its queue is reset, unless `ReuseportSteering.movesQueues`.
/// - Throws: `SystemError`; `EOPNOTSUPP` for AF_UNIX.
public func makeStandby(of socket: borrowing OwnedFD, isConfined: Bool = false) throws(SystemError) -> OwnedFD {
  let address = try localAddress(of: socket)
  guard address.family != AF_UNIX else { throw SystemError("standby socket for \(address)", errno: EOPNOTSUPP) }
  let kind = try kind(of: socket)
  let `protocol` = try option(socket, SOL_SOCKET, SO_PROTOCOL, initially: Int32(0), named: "SO_PROTOCOL")
  let standby = try makeSocket(kind, address, protocol: `protocol`, isConfined: isConfined)
  var status = stat()
  let (raw, otherRaw) = (standby.raw, socket.raw)
  try retrying("fstat") { fstat(otherRaw, &status) }
  if status.st_uid != geteuid() { try retrying("fchown standby socket") { fchown(raw, status.st_uid, .max) } }
  for copied in CopiedOption.all where copied.applies(to: address.family, kind) {
    copied.copy(from: socket, to: standby)
  }
  try setOption(standby, SOL_SOCKET, SO_REUSEPORT, Int32(1), named: "SO_REUSEPORT")
  return standby
}

/// Binds a standby to the address of its primary; a connection-oriented one listens.
///
/// SO_REUSEPORT is set on the primary too, which the kernel allows even on a socket that is bound and listens. From now on the kernel
/// distributes new connections and datagrams over the two by a hash, so attach a `ReuseportSteering` next. What reaches the standby until
/// then is queued there.
///
/// - Parameters:
///   - standby: from `makeStandby(of:)`.
///   - socket: the primary.
///   - backlog: of a listener; the standby's is at least the primary's. Both are capped at net.core.somaxconn.
/// - Throws: `SystemError`; `EADDRINUSE` when the kernel sees another owner, `EINVAL` for a listener that was shut down.
public func joinStandby(
  _ standby: borrowing OwnedFD, to socket: borrowing OwnedFD, backlog: UInt32
) throws(SystemError) {
  let address = try localAddress(of: socket)
  let kind = try kind(of: socket)
  // Read first: it fails for a listener that was shut down, before anything is changed.
  let accepts = kind.isConnected ? try acceptQueue(of: socket).limit : 0
  try setOption(socket, SOL_SOCKET, SO_REUSEPORT, Int32(1), named: "SO_REUSEPORT")
  let raw = standby.raw
  try retrying("bind standby socket to \(address)") { address.withSockaddr { bind(raw, $0, $1) } ?? -1 }
  if kind.isConnected { try listen(on: standby, at: address, backlog: max(backlog, UInt32(clamping: accepts))) }
}

/// A socket option that a standby copies from its primary.
///
/// An option that the kernel does not know, or that the daemon may not set, is skipped: somebody with more privileges has set it on the
/// primary, and parked clients are served all the same.
private struct CopiedOption {
  enum Scope { case all, tcp, ipv6 }

  let scope: Scope
  let level: Int32
  let name: Int32

  private init(_ scope: Scope, _ level: Int, _ name: Int32) {
    self.scope = scope
    self.level = Int32(level)
    self.name = name
  }

  static let all: [CopiedOption] =
    [
      SO_REUSEADDR, SO_KEEPALIVE, SO_PRIORITY, SO_MARK, SO_BROADCAST, SO_OOBINLINE, SO_LINGER, SO_TIMESTAMP,
      SO_TIMESTAMPNS,
      SO_RCVLOWAT, LINUX_SO_BINDTOIFINDEX, SO_RCVBUF, SO_SNDBUF,
    ].map { CopiedOption(.all, Int(SOL_SOCKET), $0) }
    // The options of IPv4 also apply to the IPv4 clients of an IPv6 socket.
    + [IP_TOS, IP_TTL, IP_TRANSPARENT, IP_PKTINFO, LINUX_IP_FREEBIND].map { CopiedOption(.all, Int(IPPROTO_IP), $0) }
    + [
      IPV6_V6ONLY, IPV6_UNICAST_HOPS, IPV6_TCLASS, IPV6_TRANSPARENT, IPV6_RECVPKTINFO, LINUX_IPV6_FREEBIND,
    ].map { CopiedOption(.ipv6, Int(IPPROTO_IPV6), $0) }
    + [
      TCP_NODELAY, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_SYNCNT, TCP_LINGER2, TCP_DEFER_ACCEPT, TCP_CONGESTION,
      TCP_USER_TIMEOUT, TCP_FASTOPEN, TCP_NOTSENT_LOWAT,
    ].map { CopiedOption(.tcp, Int(IPPROTO_TCP), $0) }

  func applies(to family: Int32, _ kind: SocketKind) -> Bool {
    switch scope {
    case .all: true
    case .tcp: kind == .stream
    case .ipv6: family == AF_INET6
    }
  }

  func copy(from other: borrowing OwnedFD, to standby: borrowing OwnedFD) {
    // Room for the longest: the name of a congestion control, TCP_CA_NAME_MAX.
    var value = [UInt8](repeating: 0, count: 16)
    var length = socklen_t(value.count)
    guard getsockopt(other.raw, level, name, &value, &length) == 0 else { return }
    if level == SOL_SOCKET, name == SO_RCVBUF || name == SO_SNDBUF {
      return copyBuffer(value, from: other, to: standby)
    }
    _ = setsockopt(standby.raw, level, name, value, length)
  }

  /// Copies a buffer's size only if somebody has set it. The kernel no longer grows a buffer whose size is set, nor those of the
  /// connections that inherit it.
  private func copyBuffer(_ value: [UInt8], from other: borrowing OwnedFD, to standby: borrowing OwnedFD) {
    let locked = (try? option(other, SOL_SOCKET, LINUX_SO_BUF_LOCK, initially: Int32(0), named: "SO_BUF_LOCK")) ?? 0
    let isReceiving = name == SO_RCVBUF
    guard locked & (isReceiving ? 2 : 1) != 0 else { return }
    // getsockopt(2) returns twice the size that was set.
    var size = value.withUnsafeBytes { $0.loadUnaligned(as: Int32.self) } / 2
    let forced = isReceiving ? SO_RCVBUFFORCE : SO_SNDBUFFORCE
    if setsockopt(standby.raw, SOL_SOCKET, forced, &size, 4) != 0 {
      _ = setsockopt(standby.raw, SOL_SOCKET, name, &size, 4)
    }
  }
}
