import Testing

@testable import dormouse

@Suite("Ctrl-] three times")
struct DetachSequenceTests {
  private static let key: UInt8 = 0x1D
  private static let other = UInt8(ascii: "a")

  @Test("Ctrl-] three times within a second disconnects, typed at once or one by one, and earlier input is still sent")
  func leaves() {
    var sequence = DetachSequence()
    #expect(sequence.complete(with: [Self.other, Self.key, Self.key, Self.key, Self.other], at: .zero) == 3)
    sequence = DetachSequence()
    #expect(sequence.complete(with: [Self.key], at: .seconds(1)) == nil)
    #expect(sequence.complete(with: [Self.key], at: .seconds(1.5)) == nil)
    #expect(sequence.complete(with: [Self.key], at: .seconds(2)) == 0)
  }

  @Test("Ctrl-] three times with another key in between, or more slowly, does not disconnect")
  func stays() {
    var sequence = DetachSequence()
    #expect(sequence.complete(with: [Self.key, Self.key, Self.other, Self.key], at: .zero) == nil)
    #expect(sequence.complete(with: [], at: .zero) == nil)
    sequence = DetachSequence()
    for moment in [0.0, 0.6, 1.2, 1.8] { #expect(sequence.complete(with: [Self.key], at: .seconds(moment)) == nil) }
    // Together with this press, the last two are within a second.
    #expect(sequence.complete(with: [Self.key], at: .seconds(2.1)) == 0)
  }
}
