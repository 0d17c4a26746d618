import Testing

@testable import dormouse

@Suite("Ctrl-] three times")
struct DetachSequenceTests {
  private static let key: UInt8 = 0x1D
  private static let other = UInt8(ascii: "a")

  @Test("within a second leaves, at once or one by one, and what was typed before is still sent")
  func leaves() {
    var sequence = DetachSequence()
    #expect(sequence.complete(with: [Self.other, Self.key, Self.key, Self.key, Self.other], at: .zero) == 3)
    sequence = DetachSequence()
    #expect(sequence.complete(with: [Self.key], at: .seconds(1)) == nil)
    #expect(sequence.complete(with: [Self.key], at: .seconds(1.5)) == nil)
    #expect(sequence.complete(with: [Self.key], at: .seconds(2)) == 0)
  }

  @Test("with something in between, or too slowly, does not")
  func stays() {
    var sequence = DetachSequence()
    #expect(sequence.complete(with: [Self.key, Self.key, Self.other, Self.key], at: .zero) == nil)
    #expect(sequence.complete(with: [], at: .zero) == nil)
    sequence = DetachSequence()
    for moment in [0.0, 0.6, 1.2, 1.8] { #expect(sequence.complete(with: [Self.key], at: .seconds(moment)) == nil) }
    // The last two are not too old for this one.
    #expect(sequence.complete(with: [Self.key], at: .seconds(2.1)) == 0)
  }
}
