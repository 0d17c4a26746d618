import CLinux
import Glibc

/// One AF_UNIX socket as the kernel tells it (sock_diag(7)).
public struct UnixSocket: Equatable, Sendable {
  /// A file, by its inode and device as the kernel numbers them.
  public struct File: Hashable, Sendable {
    /// The low 32 bits of st_ino.
    public var inode: UInt32
    /// The kernel's own number of the device, which is not st_dev's.
    public var device: UInt32
  }

  /// The socket's number in /proc/PID/fd.
  public var inode: UInt32
  /// Names the socket for ever (`cookie(of:)`).
  public var cookie: UInt64
  /// TCP's numbers: a connected one is `established`, a listener `listen`.
  public var state: TCPState?
  /// Where it is bound; a connection that was accepted has its listener's address.
  public var address = SocketAddress.unnamed
  /// Of a path. A connection that a listener accepted has the listener's own.
  public var file: File?
  /// The other end's inode; 0 when that end is gone, nil when there is none.
  public var peer: UInt32?
  /// Of a listener: the inode of each client in its queue, 0 for one that is gone.
  public var pending: [UInt32] = []
  /// The user whose process made it; nil where the kernel does not tell (before Linux 5.3).
  public var uid: UInt32?

  public init(inode: UInt32, cookie: UInt64, state: TCPState?) {
    self.inode = inode
    self.cookie = cookie
    self.state = state
  }
}

/// Reads the sockets in one part of the kernel's answer. Whatever the bytes are, it never traps.
///
/// Parameters and result as of `decodeTCPConnections`.
public func decodeUnixSockets(
  _ bytes: UnsafeRawBufferPointer, sequence: UInt32? = nil, into sockets: inout [UnixSocket]
) -> NetlinkProgress {
  readAnswer(bytes, sequence: sequence) { payload in
    if let socket = UnixSocket(diagMessage: payload) { sockets.append(socket) }
  }
}

extension UnixSocket {
  init?(diagMessage payload: UnsafeRawBufferPointer) {
    let size = MemoryLayout<unix_diag_msg>.size
    guard payload.count >= size else { return nil }
    let message = payload.loadUnaligned(as: unix_diag_msg.self)
    guard Int32(message.udiag_family) == AF_UNIX else { return nil }
    let (low, high) = message.udiag_cookie
    self.init(
      inode: message.udiag_ino, cookie: UInt64(high) << 32 | UInt64(low), state: TCPState(rawValue: message.udiag_state)
    )
    forEachAttribute(in: payload, after: size) { take($0, $1) }
  }

  private mutating func take(_ type: Int32, _ content: UnsafeRawBufferPointer) {
    func word(_ index: Int) -> UInt32? {
      guard (index + 1) * 4 <= content.count else { return nil }
      return content.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
    }
    switch Int(type) {
    case UNIX_DIAG_NAME: address = SocketAddress(unixName: content)
    case UNIX_DIAG_VFS:
      if let inode = word(0), let device = word(1) { file = File(inode: inode, device: device) }
    case UNIX_DIAG_PEER: peer = word(0)
    case UNIX_DIAG_ICONS: pending = (0..<content.count / 4).compactMap(word)
    case UNIX_DIAG_UID: uid = word(0)
    default: return
    }
  }
}

/// Which connections of AF_UNIX keep a guest awake that has the listener `listener`.
///
/// Those accepted from it, which carry its file or abstract name, and those in its queue; each only while its client is
/// still there, because the kernel keeps no time from which one could tell how long it has been gone.
/// - Parameters:
///   - listener: the listener itself.
///   - sockets: from `SockDiag.connectedUnixSockets`.
/// - Returns: those that count; no event tells of their end, so when to look again is the caller's affair.
public func openConnections(of listener: UnixSocket, among sockets: [UnixSocket]) -> OpenConnections {
  let byInode = Dictionary(sockets.map { ($0.inode, $0) }, uniquingKeysWith: { first, _ in first })
  var open = OpenConnections()
  for socket in sockets where socket.state == .established && socket.isAccepted(from: listener) {
    guard let peer = socket.peer, peer != 0 else { continue }
    open.append(client: byInode[peer], .accepted, cookie: socket.cookie)
  }
  for peer in listener.pending where peer != 0 {
    open.append(client: byInode[peer], .queued, cookie: byInode[peer]?.cookie ?? UInt64(peer))
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
  fileprivate mutating func append(client: UnixSocket?, _ place: OpenConnection.Place, cookie: UInt64) {
    connections.append(
      OpenConnection(
        remote: client?.address ?? .unnamed, place: place, state: nil, silence: nil, cookie: cookie, uid: client?.uid))
  }
}
