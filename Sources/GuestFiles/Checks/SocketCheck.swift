import GuestSpec
import UnitSyntax

/// The guest's sockets, and the `.socket` units in the guest that take them.
enum SocketCheck: GuestCheck {
  static func problems(of subject: CheckedGuest) -> [Diagnostic] {
    if subject.guest.sockets.isEmpty {
      let message = "no [Socket] has an address, so no client wakes the guest, only `dormouse wake`; add ListenStream="
      return [Diagnostic(file: subject.lines.whole.file, .warning, message)]
    }
    return subject.hasRoot ? subject.loaded.socketAgreement()?.disagreements ?? [] : []
  }
}
