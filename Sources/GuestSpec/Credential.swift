/// One credential of a guest: `[Guest] SetCredential=` or `LoadCredential=`, as in systemd.exec(5).
public struct Credential: Equatable, Sendable {
  /// Where its value comes from.
  public enum Source: Equatable, Sendable {
    /// `SetCredential=ID:VALUE`.
    case value(Secret)
    /// `LoadCredential=ID:/PATH`: a file, or a directory of files.
    case path(String)
    /// `LoadCredential=ID:NAME`, and `LoadCredential=ID` with the ID as NAME: a file of that name in one of the directories for
    /// credentials; none is no error.
    case store(name: String)
  }

  /// The name of its file in the guest.
  public var id: String
  /// Where its value comes from.
  public var source: Source

  public init(_ id: String, _ source: Source) {
    self.id = id
    self.source = source
  }

  /// The most that all credentials of a guest may take together, in bytes: what systemd allows.
  public static let sizeLimit = 1 << 20

  /// Whether a file of /run/host/credentials may have this name.
  public static func isValid(id: String) -> Bool {
    let forbidden = [UInt8(ascii: ":"), UInt8(ascii: "/")]
    return (1...255).contains(id.utf8.count) && id != "." && id != ".."
      && id.utf8.allSatisfy { $0 > 0x1F && $0 < 0x7F && !forbidden.contains($0) }
  }

  var isSet: Bool { if case .value = source { true } else { false } }
}

/// Bytes that are in no description.
public struct Secret: Equatable, Sendable, CustomStringConvertible, CustomReflectable {
  /// The value itself: for the guest, and for nobody else to read.
  public let bytes: [UInt8]

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  public var description: String { "(secret)" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
