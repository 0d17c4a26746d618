/// Cuts a stream of bytes into Varlink messages, each ended by a NUL.
///
/// It never holds more than `limit` bytes and one NUL: whoever fills it reads at most `room` bytes at a time, and takes
/// out what is complete before the next read. Any bytes may come; what cannot be a message is an error, never a trap.
public struct MessageBuffer: Sendable {
  /// The bytes did not come as messages; the connection is of no more use.
  public enum Violation: Error, Equatable, Sendable {
    /// A message longer than the limit, or more bytes at once than there was room for.
    case tooLong
    /// Two NULs in a row.
    case empty
  }

  /// What a server takes: the longest request of the interface is a name and a flag.
  public static let requestLimit = 64 * 1024
  /// What a client takes, which is systemd's own limit.
  public static let replyLimit = 16 * 1024 * 1024

  /// The longest message, in bytes, its NUL not counted.
  public let limit: Int
  private var bytes: [UInt8] = []
  /// Where the first message not yet taken begins.
  private var head = 0
  /// Up to where no NUL was found.
  private var scanned = 0

  public init(limit: Int = MessageBuffer.requestLimit) { self.limit = max(limit, 1) }

  /// How many bytes may be added now; 0 only when a complete message or a violation waits in `next()`.
  public var room: Int { limit + 1 - (bytes.count - head) }

  /// Whether bytes of an unfinished message, or whole messages, wait.
  public var isEmpty: Bool { head == bytes.count }

  /// Adds what was read.
  ///
  /// - Throws: `Violation.tooLong` when there are more than `room` of them; nothing is added then.
  public mutating func append(_ new: some Collection<UInt8>) throws(Violation) {
    guard new.count <= room else { throw .tooLong }
    if head > 0 {
      bytes.removeSubrange(..<head)
      scanned -= head
      head = 0
    }
    bytes.append(contentsOf: new)
  }

  /// Takes out the first complete message without its NUL; nil until more bytes come.
  ///
  /// - Throws: `Violation` when what waits can never become a message.
  public mutating func next() throws(Violation) -> [UInt8]? {
    guard let end = bytes[scanned...].firstIndex(of: 0) else {
      scanned = bytes.count
      if room == 0 { throw .tooLong }
      return nil
    }
    guard end > head else { throw .empty }
    let message = Array(bytes[head..<end])
    head = end + 1
    scanned = head
    return message
  }
}
