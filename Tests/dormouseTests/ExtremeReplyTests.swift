import ControlProtocol
import Testing

@testable import dormouse

@Suite("Replies with extreme values")
struct ExtremeReplyTests {
  private static let times = [Int64.min, -1, 0, 1, .max].map { Timestamp(microseconds: $0) }
  private static let spans = [-Double.greatestFiniteMagnitude, -1, -.zero, .infinity, .nan, .greatestFiniteMagnitude]
  /// A character of several scalars, an escape sequence that never ends, and nothing.
  private static let texts = ["e\u{301}\u{200D}", "\u{1B}]0;", "\u{1B}", ""]

  @Test("the status is printed for extreme times, durations, numbers and texts of a reply")
  func status() {
    for (now, then) in zip(Self.times, Self.times.reversed()) {
      for (index, span) in Self.spans.enumerated() {
        let text = Self.texts[index % Self.texts.count]
        var status = GuestStatus(name: text, state: .active, since: then)
        (status.retryAt, status.stopAt, status.connections, status.wakes) = (then, then, .max, .min)
        var wake = WakeReport(cause: .connection, at: then)
        (wake.socket, wake.startedMs, wake.handlersMs, wake.readyMs, wake.failure) = (text, span, span, span, text)
        status.lastWake = wake
        var stop = StopReport(cause: .idle, at: then)
        (stop.tookMs, stop.exitStatus, stop.signal) = (span, .min, text)
        status.lastStop = stop
        status.counters[.unparked] = .max
        status.console = text
        #expect(StatusText(status, now: now).text.contains("Guest: "))
      }
    }
  }

  @Test("the explanation is printed for extreme times and texts of a reply")
  func explanation() {
    for (now, then) in zip(Self.times, Self.times.reversed()) {
      for text in Self.texts {
        var guest = GuestExplanation(name: text, state: .active, since: then)
        (guest.retryAt, guest.idleSince, guest.stopAt, guest.wakeBy) = (then, then, then, [text])
        var connection = ConnectionStatus(socket: text, local: text, state: text)
        (connection.remote, connection.since, connection.silentMs) = (text, then, .min)
        guest.connections = [connection]
        #expect(WhyText(guest, now: now).text.contains("These connections keep it awake:\n"))
      }
    }
  }
}
