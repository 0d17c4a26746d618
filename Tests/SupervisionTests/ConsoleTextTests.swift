import Testing

@testable import Supervision

@Suite("The output of a console")
struct ConsoleTextTests {
  @Test("the output of a console is kept whole while it is shorter than 64 KiB")
  func short() {
    var console = ConsoleText()
    console.append(Array("one\n".utf8))
    console.append(Array("two\n".utf8))
    #expect(console.text == "one\ntwo\n")
  }

  @Test(
    "the last 64 KiB of the output are kept in order, whatever the sizes of the pieces",
    arguments: [1, 7, 4096, 65_536, 100_000])
  func ring(piece: Int) {
    var console = ConsoleText()
    var all: [UInt8] = []
    var next = UInt8(0)
    while all.count < 3 * ConsoleText.capacity {
      let bytes = (0..<piece).map { _ in
        next = (next + 1) % 95
        return next + 32
      }
      console.append(bytes)
      all += bytes
    }
    #expect(console.text == String(decoding: all.suffix(ConsoleText.capacity), as: UTF8.self))
  }

  @Test("output that is not UTF-8 is kept, and replaced when it is shown")
  func broken() {
    var console = ConsoleText()
    console.append([0xff, 0x41])
    #expect(console.text == "\u{FFFD}A")
  }
}
