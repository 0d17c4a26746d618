import GuestSpec
import UnitSyntax

extension LoadedGuest {
  /// Predicts which of the guest's sockets systemd in the guest will take, from the unit files in its root as they are now.
  ///
  /// - Returns: nil when that cannot be predicted: the guest has no sockets, or its PID 1 is not systemd.
  package func socketAgreement() -> SocketAgreement? {
    guard !listeners.isEmpty, let units = GuestUnits(guest) else { return nil }
    let agreement = SocketAgreement(guest: guest, listeners: listeners, units: units.enabledSockets())
    // In most guests the enabled socket units take all, and the other units need not be read.
    guard agreement.claims.contains(where: { $0.unit == nil }) else { return agreement }
    return SocketAgreement(guest: guest, listeners: listeners, units: units.referencedSockets())
  }
}
