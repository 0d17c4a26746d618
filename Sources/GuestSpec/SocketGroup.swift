/// One `[Socket]` section: some addresses and the options that all of them share, as in systemd.socket(5).
public struct SocketGroup: Equatable, Sendable {
  /// `ListenStream=`, `ListenDatagram=`, `ListenSequentialPacket=`, in the order written.
  public var listen: [Listen] = []
  /// `FileDescriptorName=`; nil means the guest's name followed by `.socket`, as systemd would name it.
  public var fileDescriptorName: String?
  /// `Backlog=`; the kernel caps it at `net.core.somaxconn`. systemd's default is 4294967295.
  public var backlog: UInt32 = .max
  /// `BindIPv6Only=`: whether a socket on an IPv6 address takes IPv4 connections.
  public var bindIPv6Only = BindIPv6Only.default
  /// `SocketMode=`, for AF_UNIX paths.
  public var socketMode: UInt16 = 0o666
  /// `SocketUser=`: a name or a number of the host's, for AF_UNIX paths; nil leaves the daemon's own.
  public var socketUser: String?
  /// `SocketGroup=`: as that.
  public var socketGroup: String?
  /// `DirectoryMode=`: of directories made for an AF_UNIX path.
  public var directoryMode: UInt16 = 0o755
  /// `RemoveOnStop=`: a socket in the file system goes with the daemon.
  public var removeOnStop = false
  /// `ReusePort=`: SO_REUSEPORT.
  public var reusePort = false
  /// `FreeBind=`: IP_FREEBIND, the address need not be this host's yet.
  public var freeBind = false
  /// `KeepAlive=`: SO_KEEPALIVE.
  public var keepAlive = false
  /// `KeepAliveTimeSec=`: how long a connection is silent before the first probe; nil leaves the kernel's, as with the others.
  public var keepAliveTime: Duration?
  /// `KeepAliveIntervalSec=`: from one probe to the next.
  public var keepAliveInterval: Duration?
  /// `KeepAliveProbes=`: how many without an answer end a connection.
  public var keepAliveProbes: UInt32?
  /// `NoDelay=`: TCP_NODELAY.
  public var noDelay = false
  /// `ReceiveBuffer=` in bytes; nil leaves the kernel's size.
  public var receiveBuffer: UInt64?
  /// `SendBuffer=` in bytes; nil leaves the kernel's size.
  public var sendBuffer: UInt64?
  /// `DeferAcceptSec=`: TCP_DEFER_ACCEPT, how long a connection without data wakes nobody.
  public var deferAccept: Duration?

  public init() {}
}

/// systemd.socket(5) `BindIPv6Only=`.
public enum BindIPv6Only: String, Equatable, Sendable, CaseIterable {
  case `default`
  case both
  case ipv6Only = "ipv6-only"
}

/// One `Listen…=` line.
public struct Listen: Hashable, Sendable {
  /// Which of the three it is.
  public var kind: Kind
  /// Where it listens.
  public var address: ListenAddress

  public init(_ kind: Kind, _ address: ListenAddress) {
    self.kind = kind
    self.address = address
  }

  /// `ListenStream=`, `ListenDatagram=` or `ListenSequentialPacket=`.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case stream, datagram, sequentialPacket
  }
}

/// An address as systemd.socket(5) writes it. Two spellings of one address are equal; `0.0.0.0:80` and `[::]:80` are
/// not one address.
public enum ListenAddress: Hashable, Sendable {
  /// Four bytes in network order.
  case ipv4(address: [UInt8], port: UInt16)
  /// Sixteen bytes in network order; `scope` is an interface name or number.
  case ipv6(address: [UInt8], port: UInt16, scope: String?)
  /// AF_UNIX in the file system: an absolute path.
  case path(String)
  /// AF_UNIX, abstract: the name without the leading NUL.
  case abstract(String)
}
