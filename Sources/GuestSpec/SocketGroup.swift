/// One `[Socket]` section: some addresses and the options that all of them share, as in systemd.socket(5).
public struct SocketGroup: Equatable, Sendable {
  /// `ListenStream=`, `ListenDatagram=`, `ListenSequentialPacket=`, in the order written.
  public var listen: [Listen] = []
  /// `FileDescriptorName=`; nil means the guest's name followed by `.socket`, as systemd would name it.
  public var fileDescriptorName: String?
  /// `Backlog=`; the kernel caps it at `net.core.somaxconn`. systemd's default is 4294967295.
  public var backlog: UInt32 = .max
  public var bindIPv6Only = BindIPv6Only.default
  /// `SocketMode=`, for AF_UNIX paths.
  public var socketMode: UInt16 = 0o666
  /// `SocketUser=`/`SocketGroup=`: a name or a number, for AF_UNIX paths.
  public var socketUser: String?
  public var socketGroup: String?
  /// `DirectoryMode=`: of directories made for an AF_UNIX path.
  public var directoryMode: UInt16 = 0o755
  /// `RemoveOnStop=`.
  public var removeOnStop = false
  public var reusePort = false
  public var freeBind = false
  public var keepAlive = false
  /// `KeepAliveTimeSec=`, `KeepAliveIntervalSec=`.
  public var keepAliveTime: Duration?
  public var keepAliveInterval: Duration?
  public var keepAliveProbes: UInt32?
  public var noDelay = false
  /// `ReceiveBuffer=`, `SendBuffer=` in bytes.
  public var receiveBuffer: UInt64?
  public var sendBuffer: UInt64?
  /// `DeferAcceptSec=`.
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
  public var kind: Kind
  public var address: ListenAddress

  public init(_ kind: Kind, _ address: ListenAddress) {
    self.kind = kind
    self.address = address
  }

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
