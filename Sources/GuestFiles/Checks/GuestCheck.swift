import UnitSyntax

/// One topic of `dormouse check`: what a guest's files need and this host or the guest's root lacks.
///
/// A new check is a file beside this one, and its name in `guestChecks`. It returns nothing for a guest that is as it should be. Each
/// message says what is so, what follows from it, and what to write. An error stands for a guest that would not start, a warning for
/// anything else.
protocol GuestCheck {
  /// Finds the problems of one guest whose files could be read without an error.
  static func problems(of subject: CheckedGuest) -> [Diagnostic]
}

/// All checks, in the order in which their problems are printed.
private var guestChecks: [any GuestCheck.Type] {
  [
    ExposureCheck.self, DirectoryCheck.self, SourceCheck.self, ProgramCheck.self, InitCheck.self, UserCheck.self,
    SocketCheck.self, HostSocketUnitCheck.self, ConfinementCheck.self, PersonalityCheck.self, SecretCheck.self,
    SpaceCheck.self,
  ]
}

extension LoadedGuests {
  /// What all checks find.
  ///
  /// A guest with an error is left out: the settings that could not be read have their defaults, which nobody asked for.
  ///
  /// - Parameter hostUnits: the directories of this host's units, highest precedence first.
  /// - Returns: the problems of each guest, and then those that only several guests together show.
  func problems(hostUnits: [String]) -> [Diagnostic] {
    let subjects = guests.filter { !$0.hasErrors }.map { CheckedGuest($0, hostUnits: hostUnits) }
    return subjects.flatMap { subject in guestChecks.flatMap { $0.problems(of: subject) } }
      + SharedDirectoryCheck.problems(of: subjects)
  }
}
