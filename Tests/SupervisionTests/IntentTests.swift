import Systemd
import Testing

@testable import Supervision

/// What systemd 257 and 262 send.
@Suite("The intent of a guest's PID 1")
struct IntentTests {
  private static let early = ["-graphical.target", "-multi-user.target", "-getty.target", "-timers.target"]
  private static let late = ["-basic.target", "-paths.target", "-slices.target", "-sockets.target", "-sysinit.target"]
  private static let last = ["+umount.target", "+shutdown.target", "+final.target"]
  private static let again = ["+paths.target", "+sysinit.target", "+timers.target", "+sockets.target", "+basic.target"]

  private static let perhaps = Intent.shutdown(confirmed: false)
  private static let confirmed = Intent.shutdown(confirmed: true)

  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let said: [String]
    /// By the messages.
    let meant: [String: Intent]
  }

  static let cases = [
    Case(
      testDescription: "a poweroff is known at its fourth word, and confirmed when all has been stopped",
      said: early + late + last + ["+poweroff.target", "X_SYSTEMD_SHUTDOWN=poweroff"],
      meant: [
        "-timers.target": perhaps, "-sockets.target": perhaps, "+shutdown.target": perhaps,
        "+poweroff.target": confirmed,
        "X_SYSTEMD_SHUTDOWN=poweroff": confirmed,
      ]),
    Case(
      testDescription: "a soft reboot is none",
      said: early + late + last + ["+soft-reboot.target", "RELOADING=1", "-shutdown.target"] + again,
      meant: [
        "-timers.target": perhaps, "-sockets.target": perhaps, "+shutdown.target": perhaps, "+timers.target": .aborted,
        "+sockets.target": .aborted,
      ]),
    Case(
      testDescription: "nor is the way to rescue.target, once the sockets are closed, nor what is there",
      said: early + ["+rescue.target"] + late.dropLast(),
      meant: ["-timers.target": perhaps, "-sockets.target": .aborted]),
    Case(
      testDescription: "from there it may go as well",
      said: ["+rescue.target", "-rescue.target"] + last + ["+halt.target"],
      meant: ["+rescue.target": .aborted, "+shutdown.target": perhaps, "+halt.target": confirmed]),
    Case(
      testDescription: "multi-user.target and basic.target may be stopped",
      said: ["-graphical.target", "-multi-user.target", "-basic.target"], meant: [:]),
    Case(
      testDescription: "a shutdown by a signal is told at once, since 252",
      said: ["STATUS=Activating special unit reboot.target...", "STATUS=Activating special unit rescue.target"],
      meant: ["STATUS=Activating special unit reboot.target...": confirmed]),
    Case(testDescription: "other inits say STOPPING=1", said: ["STOPPING=1"], meant: ["STOPPING=1": confirmed]),
  ]

  @Test("is recognized by its messages", arguments: cases)
  func understood(_ sequence: Case) throws {
    var active = sequence.said.first == "+rescue.target" ? [] : ["timers.target", "sockets.target"]
    for said in sequence.said {
      let text =
        switch said.first {
        case "+": "X_SYSTEMD_UNIT_ACTIVE=\(said.dropFirst())"
        case "-": "X_SYSTEMD_UNIT_INACTIVE=\(said.dropFirst())"
        case .some, nil: said
        }
      let message = try #require(NotifyMessage(Array(text.utf8)))
      active.removeAll { message.inactiveUnits.contains($0) }
      active += message.activeUnits
      #expect(message.intent(active: active) == sequence.meant[said], "\(said)")
    }
  }
}
