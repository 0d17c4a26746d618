/// A `[Socket]` section: addresses and the options that all of them share, as in systemd.socket(5).
public struct SocketGroup: Equatable, Sendable {
  /// `ListenStream=`, `ListenDatagram=` and `ListenSequentialPacket=`, in the order of the file.
  public var listen: [Listen] = []
  /// `FileDescriptorName=`; nil means `NAME.socket` with the guest's name, as in systemd.
  public var fileDescriptorName: String?
  /// `Backlog=`, which the kernel limits to `net.core.somaxconn`. The default is that of systemd, 4294967295.
  public var backlog: UInt32 = .max
  /// `BindIPv6Only=`: whether a socket on an IPv6 address accepts IPv4 connections.
  public var bindIPv6Only = BindIPv6Only.default
  /// The file of an AF_UNIX socket.
  public var file = File()
  /// `ReusePort=`: SO_REUSEPORT.
  public var reusePort = false
  /// `FreeBind=`: IP_FREEBIND, which allows an address that no interface has yet.
  public var freeBind = false
  /// The probes of silent TCP connections.
  public var keepAlive = KeepAlive()
  /// `NoDelay=`: TCP_NODELAY.
  public var noDelay = false
  /// `ReceiveBuffer=` in bytes; nil means the kernel's default.
  public var receiveBuffer: UInt64?
  /// `SendBuffer=` in bytes; nil means the kernel's default.
  public var sendBuffer: UInt64?
  /// `DeferAcceptSec=`: TCP_DEFER_ACCEPT, how long a connection without data does not wake the guest.
  public var deferAccept: Duration?

  public init() {}

  /// The settings of an AF_UNIX socket in the file system.
  public struct File: Equatable, Sendable {
    /// `SocketMode=`: the mode of the socket.
    public var mode: UInt16 = 0o666
    /// `SocketUser=`: the owner of the socket, by name or number; nil means the daemon's user.
    public var user: String?
    /// `SocketGroup=`: the group of the socket; nil means the daemon's group.
    public var group: String?
    /// `DirectoryMode=`: the mode of directories that are created for the path.
    public var directoryMode: UInt16 = 0o755
    /// `RemoveOnStop=`: the socket is removed when the daemon ends.
    public var removeOnStop = false

    public init() {}
  }

  /// The settings of keepalive probes; nil means the kernel's default.
  public struct KeepAlive: Equatable, Sendable {
    /// `KeepAlive=`: SO_KEEPALIVE.
    public var isOn = false
    /// `KeepAliveTimeSec=`: how long a connection is silent before the first probe.
    public var time: Duration?
    /// `KeepAliveIntervalSec=`: the time between two probes.
    public var interval: Duration?
    /// `KeepAliveProbes=`: the number of unanswered probes after which a connection ends.
    public var probes: UInt32?

    public init() {}
  }
}

/// systemd.socket(5) `BindIPv6Only=`.
public enum BindIPv6Only: String, Equatable, Sendable, CaseIterable {
  case `default`
  case both
  case ipv6Only = "ipv6-only"
}

/// A listener: one `Listen…=` line.
public struct Listen: Hashable, Sendable {
  /// The kind of socket.
  public var kind: Kind
  /// The address to which the socket is bound.
  public var address: ListenAddress

  public init(_ kind: Kind, _ address: ListenAddress) {
    self.kind = kind
    self.address = address
  }

  /// `ListenStream=`, `ListenDatagram=` or `ListenSequentialPacket=`.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case stream, datagram, sequentialPacket
  }

  /// How a process can turn a socket, or a connection that it accepted, into a way to others than its clients.
  public enum Escape: String, Hashable, Sendable, CaseIterable {
    /// By connecting it to any address of IPv4 or IPv6, or sending there.
    case connections
    /// By connecting or sending to any datagram socket of AF_UNIX.
    case datagrams
  }

  /// How a process can escape by it; nil for streams and packets of AF_UNIX, because a connected one cannot be connected again.
  public var escape: Escape? {
    switch address {
    case .ipv4, .ipv6: .connections
    case .path, .abstract: kind == .datagram ? .datagrams : nil
    }
  }
}

/// An address of systemd.socket(5). Two spellings of one address are equal; `0.0.0.0:80` and `[::]:80` are different
/// addresses.
public enum ListenAddress: Hashable, Sendable {
  /// An IPv4 address of four bytes in network order.
  case ipv4(address: [UInt8], port: UInt16)
  /// An IPv6 address of sixteen bytes in network order; `scope` is the name or the number of an interface.
  case ipv6(address: [UInt8], port: UInt16, scope: String?)
  /// An AF_UNIX socket in the file system: an absolute path.
  case path(String)
  /// An abstract AF_UNIX socket: the name without the leading NUL.
  case abstract(String)
}
