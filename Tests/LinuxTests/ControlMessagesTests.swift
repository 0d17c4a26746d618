import Glibc
import Testing

@testable import Linux

@Suite struct ControlMessagesTests {
  @Test("control messages that are written one after the other are read one after the other")
  func several() {
    let control = controlMessage(level: 1, type: 2, [1, 2, 3]) + controlMessage(level: 3, type: 4, [4])
    #expect(read(control) == [Message(1, 2, [1, 2, 3]), Message(3, 4, [4])])
  }

  @Test(
    "a control message whose length cannot be right ends the reading of control messages",
    arguments: [0, 15, 33, UInt.max / 2, UInt.max])
  func wrongLength(length: UInt) {
    let first = controlMessage(level: 1, type: 2, [])
    var second = controlMessage(level: 3, type: 4, [])
    second.replaceSubrange(0..<8, with: withUnsafeBytes(of: length) { Array($0) })
    #expect(read(first + second) == [Message(1, 2, [])])
  }

  private struct Message: Equatable {
    let level: Int32
    let type: Int32
    let data: [UInt8]

    init(_ level: Int32, _ type: Int32, _ data: [UInt8]) {
      self.level = level
      self.type = type
      self.data = data
    }
  }

  private func read(_ control: [UInt8]) -> [Message] {
    var messages: [Message] = []
    control.withUnsafeBytes {
      forEachControlMessage($0) { level, type, data in messages.append(Message(level, type, Array(data))) }
    }
    return messages
  }
}
