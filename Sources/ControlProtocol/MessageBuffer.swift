/// Cuts a stream of bytes into Varlink messages. A NUL ends each message.
///
/// It never holds more than `limit` bytes and one NUL: the reader of the connection adds at most `room` bytes at a time, and takes out
/// the complete messages before it reads again. Bytes that cannot be a message throw an error and never trap.
public struct MessageBuffer: Sendable {
  /// The bytes are not messages. The connection cannot be used any longer.
  public enum Violation: Error, Equatable, Sendable {
    /// A message is longer than the limit, or more bytes were added than there was room for.
    case tooLong
    /// A NUL follows another one.
    case empty
  }

  /// The limit of a server: the longest request of the interface is a name and a few numbers.
  public static let requestLimit = 64 * 1024
  /// The limit of a client, which is also systemd's.
  public static let replyLimit = 16 * 1024 * 1024

  /// The longest message in bytes, without its NUL.
  public let limit: Int
  private var bytes: [UInt8] = []
  /// Where the first message that was not taken begins.
  private var head = 0
  /// The end of the bytes that were searched for a NUL.
  private var scanned = 0

  public init(limit: Int = MessageBuffer.requestLimit) { self.limit = min(max(limit, 1), Self.replyLimit) }

  /// How many bytes may be added now. It is 0 only if `next()` has a complete message or a violation.
  public var room: Int { limit + 1 - (bytes.count - head) }

  /// Whether it has no bytes, neither of complete messages nor of an incomplete one.
  public var isEmpty: Bool { head == bytes.count }

  /// Adds bytes that were read.
  ///
  /// - Throws: `Violation.tooLong` if there are more than `room` of them; then none is added.
  public mutating func append(_ new: some Collection<UInt8>) throws(Violation) {
    guard new.count <= room else { throw .tooLong }
    if head > 0 {
      bytes.removeSubrange(..<head)
      scanned -= head
      head = 0
    }
    bytes.append(contentsOf: new)
  }

  /// Takes out the first complete message, without its NUL; nil if there is none yet.
  ///
  /// - Throws: `Violation` if the bytes can never become a message.
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
