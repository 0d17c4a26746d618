import CSystemd
import Linux

/// A machine id (machine-id(5)): 128 bits, written as 32 lower-case hexadecimal digits.
public struct MachineID: Hashable, Sendable, CustomStringConvertible {
  private var id: sd_id128_t

  private init(_ id: sd_id128_t) { self.id = id }

  /// Reads 32 hexadecimal digits, or a UUID with its hyphens; nil for anything else, and for all zeros.
  public init?(_ text: String) {
    var id = sd_id128_t()
    if sd_id128_from_string(text, &id) < 0 { return nil }
    if id.qwords.0 == 0 && id.qwords.1 == 0 { return nil }
    self.id = id
  }

  /// Reads the id of this machine.
  ///
  /// - Throws: `SystemError` when /etc/machine-id is missing (`ENOENT`), not set yet (`ENOMEDIUM`) or malformed (`EIO`).
  public static func host() throws(SystemError) -> MachineID {
    var id = sd_id128_t()
    try succeeding(Self.reading, sd_id128_get_machine(&id))
    return MachineID(id)
  }

  /// Derives the id of the guest `name` on this machine. It is always the same, differs from that of every other name, and does not
  /// reveal the host's own id.
  ///
  /// libsystemd derives an id from the host's id and an application id (HMAC-SHA256 keyed with the machine id, truncated to 128 bits). A
  /// name can be longer than 128 bits, so it is divided into blocks, and each is mixed into the id derived so far. Its length comes
  /// first, so that the blocks of one name are never the first blocks of another.
  ///
  /// - Throws: as ``host()``.
  public static func guest(_ name: String) throws(SystemError) -> MachineID {
    var bytes = Array(name.utf8)
    var id = application.id
    try mix(withUnsafeBytes(of: UInt64(bytes.count).littleEndian, Array.init), into: &id)
    while !bytes.isEmpty {
      try mix(Array(bytes.prefix(16)), into: &id)
      bytes.removeFirst(min(16, bytes.count))
    }
    return MachineID(id)
  }

  /// Dormouse's application id, chosen at random once. Changing it would change the id of every guest.
  private static let application = MachineID(sd_id128_t(qwords: (0x5892_e5b1_4e0b_4c8b, 0x96c6_3084_0f8d_1772)))

  /// The call that fails on a system that was never booted.
  private static let reading = "reading the host's /etc/machine-id (systemd-machine-id-setup makes it)"

  private static func mix(_ block: [UInt8], into id: inout sd_id128_t) throws(SystemError) {
    withUnsafeMutableBytes(of: &id) { bytes in
      for (index, byte) in block.enumerated() { bytes[index] ^= byte }
    }
    try succeeding(Self.reading, sd_id128_get_machine_app_specific(id, &id))
  }

  /// The 16 bytes, in the order in which they appear in the text.
  public var bytes: [UInt8] { withUnsafeBytes(of: id) { Array($0) } }

  public static func == (a: MachineID, b: MachineID) -> Bool {
    a.id.qwords.0 == b.id.qwords.0 && a.id.qwords.1 == b.id.qwords.1
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(id.qwords.0)
    hasher.combine(id.qwords.1)
  }

  public var description: String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }
}
