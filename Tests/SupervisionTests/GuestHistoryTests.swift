import ControlProtocol
import Linux
import Systemd
import Testing

@testable import Supervision

@Suite("The history of a guest")
struct GuestHistoryTests {
  @Test("the reports of PID 1 are merged, and start anew with each wake")
  func report() throws {
    let history = GuestHistory()
    history.woken(by: .connection, socket: "[::]:80")
    for text in [
      "X_SYSTEMD_SIGNALS_LEVEL=2", "X_SYSTEMD_UNIT_ACTIVE=basic.target\nX_SYSTEMD_UNIT_ACTIVE=multi-user.target",
      "READY=1\nSTATUS=Ready.", "RELOADING=1", "X_SYSTEMD_UNIT_INACTIVE=multi-user.target", "EXIT_STATUS=3",
    ] { history.record(try #require(NotifyMessage(Array(text.utf8)))) }
    let report = try #require(history.report)
    #expect(report.ready && report.reloading)
    #expect(report.status == "Ready.")
    #expect(report.signalsLevel == 2)
    #expect(report.units == ["basic.target"])
    #expect(report.exitStatus == 3)
    history.woken(by: .request, socket: nil)
    #expect(history.report == GuestReport())
    #expect(history.wakes == 2)
  }

  @Test(
    "the unit that systemd waits for is reported until it waits for none",
    arguments: [
      ("User job web.service/start running (8s / 1min 30s)...", "web.service"),
      ("(2 of 3) User job dev-sda.device/start running (1s / no limit)...", "dev-sda.device"),
      ("Activating special unit halt.target...", nil), ("User job nothing", nil), ("Ready.", nil),
    ])
  func reaching(status: String, unit: String?) throws {
    let history = GuestHistory()
    history.record(try #require(NotifyMessage(Array("STATUS=\(status)".utf8))))
    #expect(history.report?.reaching == unit)
    history.record(try #require(NotifyMessage(Array("READY=1".utf8))))
    #expect(history.report?.reaching == nil)
  }

  @Test("a guest that reports units without end does not make the daemon grow")
  func manyUnits() throws {
    let history = GuestHistory()
    for number in 0..<10_000 {
      history.record(try #require(NotifyMessage(Array("X_SYSTEMD_UNIT_ACTIVE=u\(number).target".utf8))))
      history.record(.warning, "message \(number)")
    }
    #expect(history.report?.units.count == 64)
    #expect(history.messages.count == 32)
    #expect(history.messages.last?.text == "message 9999")
  }

  @Test("the argument of a reboot is still reported after the guest has started again")
  func rebootParameter() throws {
    let history = GuestHistory()
    let said = "X_SYSTEMD_SHUTDOWN=reboot\nX_SYSTEMD_REBOOT_PARAMETER=kick me"
    history.record(try #require(NotifyMessage(Array(said.utf8))))
    history.ended(.killed(signal: 1), unasked: .reboot, console: "")
    history.woken(by: .reboot, socket: nil)
    #expect(history.lastStop?.rebootParameter == "kick me")
  }

  @Test("a stop by Dormouse keeps its cause, and any other end gets a cause of its own")
  func ends() {
    let history = GuestHistory()
    history.haltRequested(because: .idle)
    history.ended(.killed(signal: 2), unasked: nil, console: "bye")
    #expect(history.lastStop?.cause == .idle)
    #expect(history.lastStop?.signal == "SIGINT")
    #expect(history.lastStop?.tookMs != nil)
    #expect(history.console == "bye")
    history.ended(.exited(7), unasked: .crash, console: "")
    #expect(history.lastStop?.cause == .crash)
    #expect(history.lastStop?.exitStatus == 7)
    #expect(history.lastStop?.tookMs == nil)
    #expect(history.counters[.stops] == 2)
    #expect(history.counters[.crashes] == 1)
  }
}
