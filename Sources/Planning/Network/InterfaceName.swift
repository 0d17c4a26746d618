/// The name of an interface, short enough for the kernel, and the whole name where that is too long.
public struct InterfaceName: Hashable, Sendable {
  /// At most 15 characters.
  public var name: String
  /// The whole name if it was shortened. The interface gets it as an alternative name, of at most 127 characters.
  public var alternative: String?

  /// Shortens a name as systemd-nspawn does, so that a guest's interface has the same name under both: the first 11 characters, and 24 bits
  /// of a hash of the whole name, in base64 with the alphabet for file names.
  init(fitting whole: String) {
    let bytes = Array(whole.utf8)
    guard bytes.count > 15 else {
      name = whole
      return
    }
    let hash = SipHash24.hash(bytes, key: SipHash24.Key(0xe190_a404_a8ef_4b51, 0x8ccc_c33a_9f11_fca2))
    let digits = [18, 12, 6, 0].map { Self.alphabet[Int(hash >> UInt64($0) & 63)] }
    name = String(decoding: bytes.prefix(11) + digits, as: UTF8.self)
    alternative = bytes.count <= 127 ? whole : nil
  }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
}
