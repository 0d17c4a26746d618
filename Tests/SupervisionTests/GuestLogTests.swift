import Testing

@testable import Supervision

@Suite("The log messages about one guest")
struct GuestLogTests {
  @Test("A guest that causes messages without end has its share of the log, and the log says how many were dropped")
  func limited() {
    let captured = CapturedLog()
    var messages = GuestLog(captured.log, of: "web", at: .seconds(5))
    let written = (0..<1000).count { _ in messages.write(.added, of: nil, at: .seconds(5)) }
    #expect(written == GuestLog.burst && captured.entries.count == GuestLog.burst)
    let isWritten = messages.write(.removed, of: nil, at: .seconds(5) + GuestLog.interval)
    #expect(isWritten)
    let last = captured.entries.suffix(2)
    guard case .linesDropped(count: 500) = last.first?.message, case .removed = last.last?.message else {
      Issue.record("\(last)")
      return
    }
    #expect(last.allSatisfy { $0.guest == "web" })
  }
}
