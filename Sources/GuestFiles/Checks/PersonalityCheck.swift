import GuestSpec
import Linux
import UnitSyntax

/// `Personality=`: 32-bit programs that this host's processor cannot run.
enum PersonalityCheck: GuestCheck {
  static func problems(of subject: CheckedGuest) -> [Diagnostic] { problems(of: subject, runs32Bit: runs32BitPrograms) }

  static func problems(of subject: CheckedGuest, runs32Bit: Bool) -> [Diagnostic] {
    guard let personality = subject.guest.exec.process.personality, !runs32Bit, personality.is32Bit else { return [] }
    return [
      subject.problem(
        .error, "Exec", "Personality",
        "Personality=\(personality.rawValue): this host's processor runs no 32-bit programs, so the guest cannot start; "
          + "remove the setting, and use a root of 64-bit programs")
    ]
  }
}
