import GuestSpec
import Linux
import UnitSyntax

/// `SetCredential=`: secrets in guest files that every user can read.
enum SecretCheck: GuestCheck {
  static func problems(of subject: CheckedGuest) -> [Diagnostic] {
    var told: Set<String> = []
    return subject.lines.all("Guest", "SetCredential").compactMap { line in
      guard told.insert(line.file).inserted, let status = try? FileStatus(line.file, followingLinks: true) else {
        return nil
      }
      // Mode o+r.
      guard status.mode & 0o004 != 0 else { return nil }
      return Diagnostic(
        file: line.file, line: line.number, .warning,
        "SetCredential=: every user of this host can read this file and the secret in it; "
          + "`chmod o= \(line.file)`, or write LoadCredential= with a file that root alone can read")
    }
  }
}
