/// The ranges of 65536 IDs of which a guest gets one. systemd-nspawn chooses from the same ranges.
public enum UserRange {
  /// How many IDs a range has.
  public static let size: UInt32 = 0x1_0000
  private static let first: UInt32 = 0x8_0000
  private static let last: UInt32 = 0x6FFF_0000

  /// The candidates, at most `limit`, in the order in which they are tried: the range that the root belongs to already, then ranges derived
  /// from a hash of the guest's name. A guest gets the same range at each start unless it is taken.
  public static func candidates(owner: RootOwner, name: String, limit: Int = 100) -> [UInt32] {
    var state: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name.utf8 { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
    let count = UInt64((last - first) / size + 1)
    let hashed = (0..<UInt64(limit)).map { turn in
      // The last letters of a name affect the upper bits only after mixing.
      let mixed = (state &+ turn &* 0x9E37_79B9_7F4A_7C15) &* 0xFF51_AFD7_ED55_8CCD
      return first + UInt32((mixed ^ mixed >> 33) % count) * size
    }
    guard let base = owner.base, (first...last).contains(base) else { return hashed }
    return [base] + hashed
  }

  /// The IDs that passwd(5) or group(5) assign, and the ranges that subuid(5) or subgid(5) assign.
  public static func taken(accounts: [String], subordinate: [String]) -> [ClosedRange<UInt64>] {
    func fields(_ text: String) -> [[Substring]] {
      text.split(separator: "\n").map { $0.split(separator: ":", omittingEmptySubsequences: false) }
    }
    var taken: [ClosedRange<UInt64>] = []
    for line in accounts.flatMap(fields) where line.count > 2 {
      if let id = UInt64(line[2]) { taken.append(id...id) }
    }
    for line in subordinate.flatMap(fields) where line.count == 3 {
      // The kernel has no IDs beyond 32 bits, and the sum must not overflow.
      let ids = UInt64(UInt32.max)
      if let first = UInt64(line[1]), let count = UInt64(line[2]), first <= ids, count > 0, count <= ids {
        taken.append(first...(first + count - 1))
      }
    }
    return taken
  }
}
