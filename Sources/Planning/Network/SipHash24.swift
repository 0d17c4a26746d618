/// SipHash-2-4 (Aumasson and Bernstein, 2012): a 64-bit hash with a 128-bit key.
struct SipHash24 {
  private var v0, v1, v2, v3: UInt64

  static func hash(_ bytes: [UInt8], key: Key) -> UInt64 {
    var state = SipHash24(key)
    let whole = bytes.count / 8 * 8
    for start in stride(from: 0, to: whole, by: 8) { state.absorb(number(bytes[start..<start + 8])) }
    state.absorb(number(bytes[whole...]) | UInt64(truncatingIfNeeded: bytes.count) << 56)
    return state.finish()
  }

  /// The 16 bytes of a key, as two little-endian numbers.
  struct Key {
    fileprivate let first, second: UInt64

    /// The bytes in their order, as they are written in hexadecimal.
    init(_ first: UInt64, _ second: UInt64) {
      self.first = first.byteSwapped
      self.second = second.byteSwapped
    }
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private init(_ key: Key) {
    v0 = key.first ^ 0x736f_6d65_7073_6575
    v1 = key.second ^ 0x646f_7261_6e64_6f6d
    v2 = key.first ^ 0x6c79_6765_6e65_7261
    v3 = key.second ^ 0x7465_6462_7974_6573
  }

  private mutating func absorb(_ word: UInt64) {
    v3 ^= word
    rounds(2)
    v0 ^= word
  }

  private mutating func finish() -> UInt64 {
    v2 ^= 0xff
    rounds(4)
    return v0 ^ v1 ^ v2 ^ v3
  }

  private mutating func rounds(_ count: Int) {
    for _ in 0..<count {
      v0 &+= v1
      v2 &+= v3
      v1 = v1.rotated(13) ^ v0
      v3 = v3.rotated(16) ^ v2
      v0 = v0.rotated(32)
      v2 &+= v1
      v0 &+= v3
      v1 = v1.rotated(17) ^ v2
      v3 = v3.rotated(21) ^ v0
      v2 = v2.rotated(32)
    }
  }
}

extension UInt64 {
  fileprivate func rotated(_ bits: Int) -> UInt64 { self << bits | self >> (64 - bits) }
}
