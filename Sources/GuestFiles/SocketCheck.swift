import GuestSpec
import UnitSyntax

extension LoadedGuest {
  /// What systemd in the guest will make of the sockets, told from the files in its root as they are now.
  ///
  /// - Returns: nil when there is no telling: the guest has no sockets, or its PID 1 is not systemd.
  package func socketAgreement() -> SocketAgreement? {
    guard !listeners.isEmpty, let units = GuestUnits(guest) else { return nil }
    let agreement = SocketAgreement(guest: guest, listeners: listeners, units: units.enabledSockets())
    // Most guests agree, and then the other units need not be read.
    guard agreement.claims.contains(where: { $0.unit == nil }) else { return agreement }
    return SocketAgreement(guest: guest, listeners: listeners, units: units.referencedSockets())
  }
}
