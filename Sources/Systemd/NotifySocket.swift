import Glibc
import Linux

/// The socket a guest's PID 1 reports to, bound at a path of the host that the guest sees as its `$NOTIFY_SOCKET`.
public final class NotifySocket {
  /// For ``EventLoop/watch(_:for:priority:handler:)``: readable when there is something to ``receive(from:pidfd:)``.
  public let descriptor: OwnedFD
  /// How many datagrams were dropped because they were not the guest's PID 1's, or too long.
  public private(set) var refused = 0
  private let path: String
  private var hasPath = true

  /// Binds the socket to `path` and replaces what an earlier daemon left there. Only root and `user` may write to it (mode 0200).
  ///
  /// - Throws: `SystemError` of the call that failed; `ENAMETOOLONG` for a path of more than 107 bytes.
  public init(path: String, user: UInt32 = 0) throws(SystemError) {
    var options = SocketOptions(mode: 0o200)
    options.passCredentials = true
    if user != 0 { (options.owner, options.group) = (user, user) }
    removeFile(path)
    descriptor = try openListener(.datagram, .path(path), options)
    self.path = path
  }

  deinit { removePath() }

  /// Takes the path away, once: what is bound there later is another's.
  public func removePath() {
    if hasPath { removeFile(path) }
    hasPath = false
  }

  /// Reads what the guest's PID 1 has reported since the last call.
  ///
  /// One call reads at most `limit` datagrams, so that a guest that floods its socket gets its turn like everybody
  /// else; the descriptor stays readable when there is more. Datagrams of other processes, datagrams that are too long,
  /// and whatever descriptors are attached are dropped.
  ///
  /// - Parameters:
  ///   - pid: the guest's PID 1, in our PID namespace. It must not have been waited for, or the number may be another's.
  ///   - pidfd: the same process.
  ///   - limit: of datagrams; ``queue`` for all that a process which has ended can have left.
  /// - Returns: the messages in the order they were sent.
  /// - Throws: `SystemError` of recvmsg(2), when nothing was read before it: what was read is not lost for an error that comes after it.
  public func receive(
    from pid: Int32, pidfd: borrowing OwnedFD, atMost limit: Int = batch
  ) throws(SystemError) -> [NotifyMessage] {
    var messages: [NotifyMessage] = []
    do throws(SystemError) {
      for _ in 0..<limit {
        guard let datagram = try receiveCredentialed(from: descriptor, limit: NotifyMessage.limit) else { break }
        guard datagram.isFrom(pid: pid, pidfd: pidfd), !datagram.isTruncated else {
          refused += 1
          continue
        }
        if let message = NotifyMessage(datagram.bytes) { messages.append(message) }
      }
    } catch {
      if messages.isEmpty { throw error }
    }
    return messages
  }

  /// What is read in one turn.
  public static let batch = 8
  /// More than the kernel queues: net.unix.max_dgram_qlen is 10, or 512 where systemd has set it.
  public static let queue = 1024
}
