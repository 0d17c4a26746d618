/// The last 64 KiB of what a guest printed on its console, however much it prints.
struct ConsoleText {
  static let capacity = 64 * 1024

  private var ring: [UInt8] = []
  /// The place of the oldest byte once the ring is full.
  private var start = 0

  mutating func append(_ bytes: some Collection<UInt8>) {
    for byte in bytes.suffix(Self.capacity) {
      if ring.count < Self.capacity {
        ring.append(byte)
      } else {
        ring[start] = byte
        start = (start + 1) % Self.capacity
      }
    }
  }

  /// The last `count` bytes, or all there are.
  func last(_ count: Int) -> [UInt8] { Array((ring[start...] + ring[..<start]).suffix(count)) }

  /// All of it, oldest first. Bytes that are not UTF-8 are replaced.
  var text: String { String(decoding: ring[start...] + ring[..<start], as: UTF8.self) }
}
