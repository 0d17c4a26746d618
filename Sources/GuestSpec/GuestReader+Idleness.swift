import UnitSyntax

// Checks of the idle times.
extension GuestReader {
  mutating func checkIdleness(_ whole: Place) {
    guard let freeze = guest.policy.idleFreeze, let stop = guest.policy.idleStop, freeze >= stop else { return }
    let isDefault = places["Guest.IdleStopSec"] == nil
    report(
      places["Guest.IdleFreezeSec"] ?? whole, .warning,
      "IdleFreezeSec=: the guest is stopped before it is frozen, because IdleStopSec= is not longer"
        + "\(isDefault ? " (its default is 10min)" : ""); write a longer IdleStopSec=, or infinity")
  }
}
