import Testing

@testable import ControlProtocol

@Suite("Messages are cut out of a stream of bytes")
struct MessageBufferTests {
  private static let stream: [UInt8] = Array("{\"method\":\"a.B\"}\0x\0{}\0".utf8)
  private static let messages = ["{\"method\":\"a.B\"}", "x", "{}"]

  @Test("Wherever the stream is split, the same messages come out")
  func everySplit() throws {
    for first in 0...Self.stream.count {
      for second in first...Self.stream.count {
        var buffer = MessageBuffer(limit: 64)
        var messages: [String] = []
        for piece in [Self.stream[..<first], Self.stream[first..<second], Self.stream[second...]] {
          try buffer.append(piece)
          while let message = try buffer.next() { messages.append(String(decoding: message, as: UTF8.self)) }
        }
        #expect(messages == Self.messages)
        #expect(buffer.isEmpty)
      }
    }
  }

  @Test("Messages also come out when the stream is read to its end before the first is taken")
  func allAtOnce() throws {
    var buffer = MessageBuffer(limit: 64)
    try buffer.append(Self.stream)
    #expect(try buffer.next() == Array(Self.messages[0].utf8))
    try buffer.append(Self.stream)
    #expect(try buffer.next() == Array("x".utf8))
    #expect(try buffer.next() == Array("{}".utf8))
    #expect(try buffer.next() == Array(Self.messages[0].utf8))
  }

  @Test("A message of exactly the limit is taken, one byte more is a violation")
  func limit() throws {
    var buffer = MessageBuffer(limit: 8)
    try buffer.append(Array("12345678".utf8))
    #expect(try buffer.next() == nil)
    try buffer.append([0])
    #expect(try buffer.next() == Array("12345678".utf8))
    try buffer.append(Array("123456789".utf8))
    #expect(buffer.room == 0)
    #expect(throws: MessageBuffer.Violation.tooLong) { try buffer.next() }
    #expect(throws: MessageBuffer.Violation.tooLong) { try buffer.append([0]) }
  }

  @Test("There is always room, or something to take out: whoever reads `room` bytes at a time never stops")
  func roomNeverRunsOut() throws {
    var buffer = MessageBuffer(limit: 8)
    var fed = 0
    var taken = 0
    let source = Array(String(repeating: "1234\0", count: 100).utf8)
    while fed < source.count {
      #expect(buffer.room > 0)
      let size = min(buffer.room, source.count - fed)
      try buffer.append(source[fed..<fed + size])
      fed += size
      while try buffer.next() != nil { taken += 1 }
    }
    #expect(taken == 100)
  }

  @Test("More bytes at once than there is room for are refused and change nothing")
  func refusesExcess() throws {
    var buffer = MessageBuffer(limit: 4)
    try buffer.append([1, 2])
    #expect(throws: MessageBuffer.Violation.tooLong) { try buffer.append([3, 4, 5, 0]) }
    try buffer.append([0])
    #expect(try buffer.next() == [1, 2])
  }

  @Test("A NUL without a message before it is a violation", arguments: [[0], [1, 0, 0]] as [[UInt8]])
  func empty(bytes: [UInt8]) throws {
    var buffer = MessageBuffer()
    try buffer.append(bytes)
    #expect(throws: MessageBuffer.Violation.empty) { while try buffer.next() != nil {} }
  }
}
