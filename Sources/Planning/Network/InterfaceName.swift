/// A name for an interface, as the kernel takes it, and the one that was meant when that is too long.
public struct InterfaceName: Hashable, Sendable {
  /// At most 15 characters.
  public var name: String
  /// Given to the interface as well, as an alternative name, which may have 127.
  public var alternative: String?

  /// Shortened as systemd-nspawn does it, so that a guest's interface is called the same under both: the first 11
  /// characters, and 24 of the 64 bits of a hash of the whole, in base64 for file names.
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
