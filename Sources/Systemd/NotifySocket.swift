import Glibc
import Linux

/// The socket that a guest's PID 1 notifies, bound to a path of the host that the guest sees as its `$NOTIFY_SOCKET`.
public final class NotifySocket {
  /// For ``EventLoop/watch(_:for:priority:handler:)``: readable when there is something to ``receive(from:pidfd:)``.
  public let descriptor: OwnedFD
  /// How many datagrams were dropped because they were too long, or another process than the guest's PID 1 sent them.
  public private(set) var refused = 0
  /// How many datagrams were received, with the refused ones.
  public private(set) var received = 0
  private let path: String
  private var hasPath = true

  /// Binds the socket to `path` and replaces what an earlier daemon left there. Only root and `user` may write to it (mode 0200).
  ///
  /// The path may be longer than the 107 bytes of a socket's address, because the names of an instance's files grow with its number, and a
  /// later instance must not fail where the first one started. Its last component may have 80 bytes.
  ///
  /// - Throws: `SystemError`; `ENAMETOOLONG` for a longer last component.
  public init(path: String, user: UInt32 = 0) throws(SystemError) {
    var options = SocketOptions(mode: 0o200)
    options.passCredentials = true
    if user != 0 { (options.file.owner, options.file.group) = (user, user) }
    removeFile(path)
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    let directory = path.dropLast(name.utf8.count)
    do throws(SystemError) {
      let parent = try retrying("open") { open(directory.isEmpty ? "." : String(directory), Self.directoryFlags) }
      descriptor = try Self.bind(name, in: OwnedFD(owning: parent), options)
    } catch {
      throw SystemError("bind \(path)", errno: error.errno)
    }
    self.path = path
  }

  private static let directoryFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC

  /// Binds below /proc/self/fd, so that the address has only a few bytes for the directory.
  private static func bind(
    _ name: String, in directory: borrowing OwnedFD, _ options: SocketOptions
  ) throws(SystemError) -> OwnedFD {
    try openListener(.datagram, .path("/proc/self/fd/\(directory.raw)/\(name)"), options)
  }

  deinit { removePath() }

  /// Removes the path, once: a file that is there later is somebody else's.
  public func removePath() {
    if hasPath { removeFile(path) }
    hasPath = false
  }

  /// Receives what the guest's PID 1 has sent since the last call.
  ///
  /// One call reads at most `limit` datagrams, so that a guest that floods its socket does not starve the others. The descriptor stays
  /// readable while more are queued. Datagrams of other processes, datagrams that are too long, and all attached descriptors are dropped.
  ///
  /// - Parameters:
  ///   - pid: the guest's PID 1, in our PID namespace. It must not have been reaped, or the number may be another process's.
  ///   - pidfd: the same process.
  ///   - limit: the most datagrams to read; ``queue`` for everything that a process which has exited can have left.
  ///   - last: how many of them are parsed and returned, the last ones; those before are dropped.
  /// - Returns: the messages in the order in which they were sent.
  /// - Throws: `SystemError` of recvmsg(2), unless messages were read before it, which are then returned.
  public func receive(
    from pid: Int32, pidfd: borrowing OwnedFD, atMost limit: Int = batch, keeping last: Int = .max
  ) throws(SystemError) -> [NotifyMessage] {
    var datagrams: [[UInt8]] = []
    do throws(SystemError) {
      for _ in 0..<limit {
        guard let datagram = try receiveCredentialed(from: descriptor, limit: NotifyMessage.limit) else { break }
        received += 1
        guard datagram.isFrom(pid: pid, pidfd: pidfd), !datagram.isTruncated else {
          refused += 1
          continue
        }
        datagrams.append(datagram.bytes)
      }
    } catch {
      if datagrams.isEmpty { throw error }
    }
    return datagrams.suffix(last).compactMap(NotifyMessage.init)
  }

  /// How many datagrams one call reads.
  public static let batch = 8
  /// More than the kernel queues: net.unix.max_dgram_qlen is 10, or 512 where systemd has set it.
  public static let queue = 1024
}
