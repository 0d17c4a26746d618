import CLinux
import Glibc

/// One AF_UNIX socket, as sock_diag(7) lists it.
public struct UnixSocket: Equatable, Sendable {
  /// A file, by its inode and device in the kernel's numbering.
  public struct File: Hashable, Sendable {
    /// The low 32 bits of st_ino.
    public var inode: UInt32
    /// The kernel's own device number, which differs from st_dev.
    public var device: UInt32
  }

  /// The socket's number in /proc/PID/fd.
  public var inode: UInt32
  /// Identifies the socket: no other socket ever gets the same number (SO_COOKIE).
  public var cookie: UInt64
  /// In TCP's numbers: a connected socket is `established`, a listener is in `listen`.
  public var state: TCPState?
  /// The address that it is bound to. An accepted connection has its listener's.
  public var address = SocketAddress.unnamed
  /// The file of a path. An accepted connection has its listener's.
  public var file: File?
  /// The inode of the peer; 0 when the peer is gone, nil when there never was one.
  public var peer: UInt32?
  /// The inode of each client in a listener's queue; 0 for a client that is gone.
  public var pending: [UInt32] = []
  /// How many clients are in a listener's queue, or how many bytes of a connection wait to be read.
  public var queued = 0

  public init(inode: UInt32, cookie: UInt64, state: TCPState?) {
    self.inode = inode
    self.cookie = cookie
    self.state = state
  }
}

extension UnixSocket {
  /// Reads what follows the header of a message of sock_diag(7); nil when it is no socket of AF_UNIX. No bytes make it trap.
  package init?(diagMessage payload: UnsafeRawBufferPointer) {
    let size = MemoryLayout<unix_diag_msg>.size
    guard payload.count >= size else { return nil }
    let message = payload.loadUnaligned(as: unix_diag_msg.self)
    guard Int32(message.udiag_family) == AF_UNIX else { return nil }
    let (low, high) = message.udiag_cookie
    self.init(
      inode: message.udiag_ino, cookie: UInt64(high) << 32 | UInt64(low), state: TCPState(rawValue: message.udiag_state)
    )
    forEachAttribute(in: payload, after: size) { decode($0, $1) }
  }

  private mutating func decode(_ type: Int32, _ content: UnsafeRawBufferPointer) {
    func word(_ index: Int) -> UInt32? {
      guard (index + 1) * 4 <= content.count else { return nil }
      return content.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
    }
    switch Int(type) {
    case UNIX_DIAG_NAME: address = SocketAddress(unixName: content)
    case UNIX_DIAG_VFS:
      if let inode = word(0), let device = word(1) { file = File(inode: inode, device: device) }
    case UNIX_DIAG_PEER: peer = word(0)
    case UNIX_DIAG_RQLEN: queued = word(0).map { Int($0) } ?? 0
    case UNIX_DIAG_ICONS: pending = (0..<content.count / 4).compactMap(word)
    default: return
    }
  }
}

/// Selects the AF_UNIX connections that keep the guest with `listener` awake.
///
/// These are the connections that the listener accepted, which carry its file or abstract name, and those in its queue. A connection
/// counts only while its client exists, because the kernel does not record for how long a client has been gone.
/// - Parameters:
///   - listener: the listener itself.
///   - sockets: from `SockDiag.unixSockets`.
/// - Returns: the connections that count. No event reports their end, so the caller decides when to scan again.
public func openConnections(of listener: UnixSocket, among sockets: [UnixSocket]) -> OpenConnections {
  let byInode = Dictionary(sockets.map { ($0.inode, $0) }, uniquingKeysWith: { first, _ in first })
  var open = OpenConnections()
  for socket in sockets where socket.state == .established && socket.isAccepted(from: listener) {
    guard let peer = socket.peer, peer != 0 else { continue }
    open.append(client: byInode[peer], .accepted, cookie: socket.cookie, unread: socket.queued)
  }
  for peer in listener.pending where peer != 0 {
    open.append(client: byInode[peer], .queued, cookie: byInode[peer]?.cookie ?? UInt64(peer), unread: 0)
  }
  return open
}

extension UnixSocket {
  fileprivate func isAccepted(from listener: UnixSocket) -> Bool {
    if let file = listener.file { return self.file == file }
    guard case .abstract = listener.address else { return false }
    return address == listener.address
  }
}

extension OpenConnections {
  fileprivate mutating func append(client: UnixSocket?, _ place: OpenConnection.Place, cookie: UInt64, unread: Int) {
    connections.append(
      OpenConnection(
        remote: client?.address ?? .unnamed, place: place, state: nil, silence: nil, cookie: cookie,
        unread: UInt32(clamping: unread)))
  }
}
