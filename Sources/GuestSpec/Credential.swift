/// A credential that a guest receives: `[Guest] SetCredential=` or `LoadCredential=`, as in systemd.exec(5).
public struct Credential: Equatable, Sendable {
  /// Where the value of a credential comes from.
  public enum Source: Equatable, Sendable {
    /// `SetCredential=ID:VALUE`.
    case value(Secret)
    /// `LoadCredential=ID:/PATH`: a file, or a directory of files.
    case path(String)
    /// `LoadCredential=ID:NAME`, or `LoadCredential=ID` with the ID as NAME: a file of that name in one of the credential
    /// directories. A missing file is not an error.
    case store(name: String)
  }

  /// The name of the credential's file in the guest.
  public var id: String
  /// Where the value comes from.
  public var source: Source

  public init(_ id: String, _ source: Source) {
    self.id = id
    self.source = source
  }

  /// The largest total size in bytes of all credentials of a guest, as in systemd.
  public static let sizeLimit = 1 << 20
  /// The largest number of files and directories in the directories of a guest's `LoadCredential=`. Empty files have no size to be limited.
  public static let entryLimit = 1024

  /// Whether a credential may have this name, which is also the name of its file in /run/host/credentials.
  public static func isValid(id: String) -> Bool {
    let forbidden = [UInt8(ascii: ":"), UInt8(ascii: "/")]
    return (1...255).contains(id.utf8.count) && id != "." && id != ".."
      && id.utf8.allSatisfy { $0 > 0x1F && $0 < 0x7F && !forbidden.contains($0) }
  }

  var isSet: Bool { if case .value = source { true } else { false } }
}

/// Bytes that no description and no mirror shows, so that they cannot get into a log.
public struct Secret: Equatable, Sendable, CustomStringConvertible, CustomReflectable {
  /// The bytes themselves; only the guest may read them.
  public let bytes: [UInt8]

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  public var description: String { "(secret)" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
