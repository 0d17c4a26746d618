import GuestSpec
import UnitSyntax

/// A guest, the files that it was read from, and their problems.
package struct LoadedGuest: Equatable, Sendable {
  /// The guest, as far as its files could be read.
  package var guest: Guest
  /// The problems of its files, and addresses that another guest has.
  package var diagnostics: [Diagnostic]
  /// Its listeners, in order, with the lines that ask for them.
  package var listeners: [PlacedListener]
  /// The files, lowest precedence first.
  package var files: [String]

  package init(guest: Guest, diagnostics: [Diagnostic], listeners: [PlacedListener], files: [String]) {
    self.guest = guest
    self.diagnostics = diagnostics
    self.listeners = listeners
    self.files = files
  }

  /// The guest's name.
  package var name: String { guest.name }
  /// Whether a problem is an error. Such a guest is not started.
  package var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
}

/// All guests that were read.
package struct LoadedGuests: Equatable, Sendable {
  /// In the order of their names.
  package var guests: [LoadedGuest] = []
  /// Problems that belong to no guest, as that a directory cannot be read.
  package var diagnostics: [Diagnostic] = []

  /// The guest of a name. Nil when none was found.
  package subscript(name: String) -> LoadedGuest? { guests.first { $0.name == name } }

  /// Adds an error to every guest that asks for an address of an earlier one.
  mutating func addConflicts() {
    let found = conflicts(between: guests.map { ($0.name, $0.listeners) })
    for index in guests.indices { guests[index].diagnostics += found[guests[index].name] ?? [] }
  }
}

extension LoadedGuest {
  /// Predicts which of the guest's sockets systemd in the guest will take, from the unit files in its root as they are now.
  ///
  /// - Returns: nil when that cannot be predicted: the guest has no sockets, or its PID 1 is not systemd. Without claims, and with a
  ///   disagreement that says so, when the units are too many or too large.
  package func socketAgreement() -> SocketAgreement? {
    guard !listeners.isEmpty, let units = GuestUnits(guest) else { return nil }
    var found = units.enabledSockets()
    if let excess = units.excess { return unknownAgreement(excess) }
    let agreement = SocketAgreement(guest: guest, listeners: listeners, units: found)
    // In most guests the enabled socket units take all sockets, and the other units need not be read.
    guard agreement.claims.contains(where: { $0.unit == nil }) else { return agreement }
    found = units.referencedSockets()
    if let excess = units.excess { return unknownAgreement(excess) }
    return SocketAgreement(guest: guest, listeners: listeners, units: found)
  }

  private func unknownAgreement(_ excess: String) -> SocketAgreement {
    var agreement = SocketAgreement(guest: guest, listeners: [], units: [])
    agreement.disagreements = [
      Diagnostic(
        file: files.last { $0.hasSuffix(".guest") } ?? name, .warning,
        "which unit of the guest takes a socket is not known, because its unit files are not read beyond a limit: in the guest, "
          + excess)
    ]
    return agreement
  }
}
