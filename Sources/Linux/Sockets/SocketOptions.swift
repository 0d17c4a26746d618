import CLinux
import Glibc

/// The type of a socket.
public enum SocketKind: Hashable, Sendable, CaseIterable {
  case stream, datagram, sequentialPacket

  var type: __socket_type {
    switch self {
    case .stream: SOCK_STREAM
    case .datagram: SOCK_DGRAM
    case .sequentialPacket: SOCK_SEQPACKET
    }
  }

  /// Whether the socket is connection-oriented: it listens, and its clients queue until they are accepted.
  public var isConnected: Bool { self != .datagram }
}

/// Whether a socket at an IPv6 address also serves IPv4.
public enum IPv6Only: Hashable, Sendable {
  /// As net.ipv6.bindv6only of the host says.
  case `default`
  case both, only
}

/// The options of a socket that systemd.socket(5) offers, with systemd's defaults.
public struct SocketOptions: Equatable, Sendable {
  /// The backlog of listen(2), which the kernel caps at net.core.somaxconn.
  public var backlog: UInt32
  /// IPV6_V6ONLY of a socket at an IPv6 address.
  public var ipv6Only = IPv6Only.default
  /// The file of an AF_UNIX socket.
  public var file = File()
  /// SO_REUSEPORT: other sockets of the same user may be bound to the address too.
  public var reusePort = false
  /// IP_FREEBIND: this host need not have the address yet.
  public var freeBind = false
  /// SO_PASSCRED: each message carries its sender's credentials (`receiveCredentialed`). None carries descriptors (SO_PASSRIGHTS).
  public var passCredentials = false
  /// Whether the socket can only serve clients, and cannot connect to this host's network (`SocketConfinement`).
  public var isConfined = false
  /// The probes of silent TCP connections.
  public var keepAlive = KeepAlive()
  /// TCP_NODELAY: the kernel sends small segments at once.
  public var noDelay = false
  /// TCP_DEFER_ACCEPT: a connection is reported only with its first data, for at most this long, in seconds, rounded up.
  public var deferAccept: Duration?
  /// SO_RCVBUF in bytes; nil leaves the kernel's default.
  public var receiveBuffer: UInt64?
  /// SO_SNDBUF in bytes; nil leaves the kernel's default.
  public var sendBuffer: UInt64?

  /// Has systemd's defaults for everything that is not given.
  public init(mode: UInt32 = 0o666, backlog: UInt32 = .max) {
    file.mode = mode
    self.backlog = backlog
  }

  /// Whom the file of an AF_UNIX socket belongs to, and who may use it.
  public struct File: Equatable, Sendable {
    /// The permissions (chmod(2)).
    public var mode: UInt32 = 0o666
    /// The uid; nil leaves that of this process.
    public var owner: UInt32?
    /// The gid; nil leaves that of this process.
    public var group: UInt32?
    /// The permissions of the directories that are made for it.
    public var directoryMode: UInt32 = 0o755

    public init() {}
  }

  /// How the kernel finds out that the peer of a silent TCP connection is gone (tcp(7)). Nil leaves the kernel's default.
  public struct KeepAlive: Equatable, Sendable {
    /// SO_KEEPALIVE: the kernel probes silent connections.
    public var isOn = false
    /// TCP_KEEPIDLE: the silence before the first probe, in seconds, rounded up.
    public var time: Duration?
    /// TCP_KEEPINTVL: the time from one probe to the next, in seconds, rounded up.
    public var interval: Duration?
    /// TCP_KEEPCNT: how many unanswered probes end the connection.
    public var probes: UInt32?

    public init() {}
  }
}

extension SocketOptions {
  /// Sets the options that can be set at any time: keep-alive, delay, deferral and buffers. Accepted connections inherit them.
  ///
  /// - Throws: `SystemError` of setsockopt(2).
  func apply(to fd: borrowing OwnedFD, _ kind: SocketKind, _ address: SocketAddress) throws(SystemError) {
    if keepAlive.isOn { try setOption(fd, SOL_SOCKET, SO_KEEPALIVE, Int32(1), named: "SO_KEEPALIVE") }
    if let receiveBuffer { try Self.setBuffer(fd, receiveBuffer, SO_RCVBUFFORCE, SO_RCVBUF, named: "SO_RCVBUF") }
    if let sendBuffer { try Self.setBuffer(fd, sendBuffer, SO_SNDBUFFORCE, SO_SNDBUF, named: "SO_SNDBUF") }
    guard kind == .stream, address.family != AF_UNIX else { return }
    let tcp = Int32(IPPROTO_TCP)
    if let time = keepAlive.time { try setOption(fd, tcp, TCP_KEEPIDLE, Self.seconds(time), named: "TCP_KEEPIDLE") }
    if let interval = keepAlive.interval {
      try setOption(fd, tcp, TCP_KEEPINTVL, Self.seconds(interval), named: "TCP_KEEPINTVL")
    }
    if let probes = keepAlive.probes {
      try setOption(fd, tcp, TCP_KEEPCNT, Int32(clamping: probes), named: "TCP_KEEPCNT")
    }
    if let deferAccept {
      try setOption(fd, tcp, TCP_DEFER_ACCEPT, Self.seconds(deferAccept), named: "TCP_DEFER_ACCEPT")
    }
    if noDelay { try setOption(fd, tcp, TCP_NODELAY, Int32(1), named: "TCP_NODELAY") }
  }

  /// Sets the options that take effect only before bind(2).
  func applyBeforeBind(to fd: borrowing OwnedFD, _ kind: SocketKind, _ address: SocketAddress) throws(SystemError) {
    if passCredentials {
      try Linux.passCredentials(on: fd)
      try refuseDescriptors(on: fd)
    }
    guard address.family != AF_UNIX else { return }
    // Connections of an earlier listener may still be in TIME-WAIT. Datagram sockets have no such state: there the option would let two
    // programs share a port without noticing.
    if kind.isConnected { try setOption(fd, SOL_SOCKET, SO_REUSEADDR, Int32(1), named: "SO_REUSEADDR") }
    if reusePort { try setOption(fd, SOL_SOCKET, SO_REUSEPORT, Int32(1), named: "SO_REUSEPORT") }
    let isIPv6 = address.family == AF_INET6
    if isIPv6, ipv6Only != .default {
      let only: Int32 = ipv6Only == .only ? 1 : 0
      try setOption(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, only, named: "IPV6_V6ONLY")
    }
    if freeBind {
      if isIPv6 {
        try setOption(fd, Int32(IPPROTO_IPV6), LINUX_IPV6_FREEBIND, Int32(1), named: "IPV6_FREEBIND")
      } else {
        try setOption(fd, Int32(IPPROTO_IP), LINUX_IP_FREEBIND, Int32(1), named: "IP_FREEBIND")
      }
    }
  }

  /// Sets a buffer's size: with the option that may exceed net.core.[rw]mem_max but needs CAP_NET_ADMIN, else with the one that may not.
  private static func setBuffer(
    _ fd: borrowing OwnedFD, _ size: UInt64, _ forced: Int32, _ plain: Int32, named name: String
  ) throws(SystemError) {
    let size = Int32(clamping: size)
    do throws(SystemError) {
      try setOption(fd, SOL_SOCKET, forced, size, named: name)
    } catch {
      guard error.errno == EPERM else { throw error }
      try setOption(fd, SOL_SOCKET, plain, size, named: name)
    }
  }

  /// Whole seconds, rounded up; at least one, at most what the kernel's number can hold.
  private static func seconds(_ duration: Duration) -> Int32 {
    let (seconds, attoseconds) = duration.components
    let rounded = seconds.addingReportingOverflow(attoseconds > 0 ? 1 : 0)
    return rounded.overflow ? .max : Int32(clamping: max(1, rounded.partialValue))
  }
}
