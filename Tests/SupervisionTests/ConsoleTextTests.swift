import Testing

@testable import Supervision

@Suite("What is kept of a console")
struct ConsoleTextTests {
  @Test("Everything, as long as it is short")
  func short() {
    var console = ConsoleText()
    console.append(Array("one\n".utf8))
    console.append(Array("two\n".utf8))
    #expect(console.text == "one\ntwo\n")
  }

  @Test("The last 64 KiB in order, in pieces of whatever size they came", arguments: [1, 7, 4096, 65_536, 100_000])
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

  @Test("What is not UTF-8 does not matter")
  func broken() {
    var console = ConsoleText()
    console.append([0xff, 0x41])
    #expect(console.text == "\u{FFFD}A")
  }
}
