import CSystemd
import Glibc
import Testing

@testable import Systemd

extension EventLoop {
  /// Dispatches what is ready, and what becomes ready by that, without waiting for anything.
  func turn() {
    for _ in 0..<1000 {
      if sd_event_get_state(event) == Int32(SD_EVENT_FINISHED) { return }
      let result = sd_event_run(event, 0)
      if result < 0 { Issue.record("sd_event_run: \(result)") }
      if result <= 0 { return }
    }
    Issue.record("the loop turns without rest")
  }

  /// Turns until that holds: the kernel may be a moment late with what it reports.
  func turn(until condition: () -> Bool) {
    let end = ContinuousClock.now + .seconds(20)
    while true {
      turn()
      if condition() { return }
      guard ContinuousClock.now < end else {
        Issue.record("what is waited for does not come")
        return
      }
      poll(nil, 0, 2)
    }
  }
}
