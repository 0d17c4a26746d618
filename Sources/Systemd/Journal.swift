import CSystemd
import Glibc
import Linux

/// The log: journald's native protocol with fields, or one line on stderr.
public struct Journal: Sendable {
  /// The levels of syslog(3) that the daemon uses.
  public enum Priority: Int, Sendable {
    case error = 3, warning, notice, info
  }

  private let target: LogTarget

  public init(_ target: LogTarget) { self.target = target }

  /// Logs a message. The `fields` are for programs, and only the journal gets them; a name has upper-case letters, digits and `_`.
  ///
  /// A failure to log is ignored, because there is nowhere else to report it.
  public func send(_ priority: Priority, _ message: String, fields: [(name: String, value: String)] = []) {
    switch target {
    case .journal:
      let own = [("MESSAGE", message), ("PRIORITY", "\(priority.rawValue)"), ("SYSLOG_IDENTIFIER", "dormoused")]
      sendNative((own + fields).map { "\($0)=\($1)" })
    case .prefixedStderr:
      // A line feed would begin another message. journald escapes the other characters itself.
      write("<\(priority.rawValue)>\(message.harmless)\n")
    case .stderr:
      write("\(message.harmless)\n")
    }
  }

  private func sendNative(_ fields: [String]) {
    // One buffer holds all fields, so that the pointers into it stay valid while libsystemd reads them.
    var bytes: [UInt8] = []
    var ends: [Int] = []
    for field in fields {
      bytes.append(contentsOf: field.utf8)
      ends.append(bytes.count)
    }
    bytes.withUnsafeMutableBytes { buffer in
      var start = 0
      let vectors = ends.map { end in
        defer { start = end }
        return iovec(iov_base: buffer.baseAddress.map { $0 + start }, iov_len: end - start)
      }
      _ = sd_journal_sendv(vectors, Int32(clamping: vectors.count))
    }
  }

  /// PIPE_BUF.
  private static let longestLine = 4096

  private func write(_ line: String) {
    // A pipe whose reader hangs must not block the daemon. A pipe that polls as writable has room for PIPE_BUF bytes and takes them
    // atomically, so that the lines of several processes do not mix.
    var stderr = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
    guard poll(&stderr, 1, 0) == 1 else { return }
    var bytes = Array(line.utf8)
    if bytes.count > Self.longestLine { bytes = bytes.prefix(Self.longestLine - 1) + [UInt8(ascii: "\n")] }
    _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
  }
}
