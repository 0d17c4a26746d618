/// The ranges of 65536 ids of which a guest gets one: those that systemd-nspawn chooses from as well.
public enum UserRange {
  /// How many ids a range has.
  public static let size: UInt32 = 0x1_0000
  private static let first: UInt32 = 0x8_0000
  private static let last: UInt32 = 0x6FFF_0000

  /// Where ranges are looked for, in this order, at most `limit` of them: the one to which the root belongs already, then those that
  /// follow from the guest's name. A guest finds the same range at each start, unless somebody else has it.
  public static func candidates(owner: RootOwner, name: String, limit: Int = 100) -> [UInt32] {
    var state: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name.utf8 { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
    let count = UInt64((last - first) / size + 1)
    let hashed = (0..<UInt64(limit)).map { turn in
      // A name's last letters reach the upper bits only by being mixed.
      let mixed = (state &+ turn &* 0x9E37_79B9_7F4A_7C15) &* 0xFF51_AFD7_ED55_8CCD
      return first + UInt32((mixed ^ mixed >> 33) % count) * size
    }
    guard let base = owner.base, (first...last).contains(base) else { return hashed }
    return [base] + hashed
  }

  /// The ids that passwd(5) or group(5) gives to somebody, and those that subuid(5) or subgid(5) does, as ranges.
  public static func taken(accounts: [String], subordinate: [String]) -> [ClosedRange<UInt64>] {
    func fields(_ text: String) -> [[Substring]] {
      text.split(separator: "\n").map { $0.split(separator: ":", omittingEmptySubsequences: false) }
    }
    var taken: [ClosedRange<UInt64>] = []
    for line in accounts.flatMap(fields) where line.count > 2 {
      if let id = UInt64(line[2]) { taken.append(id...id) }
    }
    for line in subordinate.flatMap(fields) where line.count == 3 {
      // Nothing there is an ID that the kernel does not have.
      let ids = UInt64(UInt32.max)
      if let first = UInt64(line[1]), let count = UInt64(line[2]), first <= ids, count > 0, count <= ids {
        taken.append(first...(first + count - 1))
      }
    }
    return taken
  }
}
