import GuestSpec
import UnitSyntax

/// A guest with the files it was read from and what is wrong with them.
package struct LoadedGuest: Equatable, Sendable {
  /// As far as its files could be read.
  package var guest: Guest
  /// Of all its files, and where it is in another guest's way.
  package var diagnostics: [Diagnostic]
  /// Its listeners in order, with the lines that ask for them.
  package var listeners: [PlacedListener]
  /// What was read, lowest precedence first.
  package var files: [String]

  package init(guest: Guest, diagnostics: [Diagnostic], listeners: [PlacedListener], files: [String]) {
    self.guest = guest
    self.diagnostics = diagnostics
    self.listeners = listeners
    self.files = files
  }

  /// The guest's.
  package var name: String { guest.name }
  /// Such a guest is not started.
  package var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
}

/// Everything that was found.
package struct LoadedGuests: Equatable, Sendable {
  /// By name.
  package var guests: [LoadedGuest] = []
  /// Names whose file is empty or a link to /dev/null.
  package var masked: [String] = []
  /// What concerns no guest that could be named: a directory that cannot be read.
  package var diagnostics: [Diagnostic] = []

  /// The guest of that name; nil when none was found.
  package subscript(name: String) -> LoadedGuest? { guests.first { $0.name == name } }

  /// Tells every guest whose listeners are in the way of an earlier one's.
  mutating func addConflicts() {
    let found = conflicts(between: guests.map { ($0.name, $0.listeners) })
    for index in guests.indices { guests[index].diagnostics += found[guests[index].name] ?? [] }
  }
}
