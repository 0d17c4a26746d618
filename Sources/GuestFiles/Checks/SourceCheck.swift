import GuestSpec
import Linux
import UnitSyntax

/// The files of this host that the guest's settings name: sources of mounts, and credentials.
enum SourceCheck: GuestCheck {
  static func problems(of subject: CheckedGuest) -> [Diagnostic] {
    subject.guest.files.mounts.flatMap { mountProblems($0, subject) }
      + subject.guest.policy.credentials.compactMap { credentialProblem($0, subject) }
  }

  private static func mountProblems(_ mount: CustomMount, _ subject: CheckedGuest) -> [Diagnostic] {
    switch mount {
    case .bind(let source, _, let isReadOnly, _, let isOptional, _):
      // Bind= without a source binds a new, empty directory.
      guard !isOptional, !source.isEmpty, let error = missing(source) else { return [] }
      let key = isReadOnly ? "BindReadOnly" : "Bind"
      return [
        problem(
          error, subject, "Files", key, source, as: "\(key)=\(source)",
          "\(key)=\(source): \(error), so the guest cannot start; create it, or write -\(source) to go without it")
      ]
    case .overlay(let layers, let destination, let isReadOnly):
      let key = isReadOnly ? "OverlayReadOnly" : "Overlay"
      return layers.compactMap { layer in
        guard case .host(let path) = layer, let error = missing(path) else { return nil }
        return problem(
          error, subject, "Files", key, path, as: "\(key)=\(path)",
          "\(key)= for \(destination): \(path): \(error), so the guest cannot start; create it")
      }
    case .bindOwn, .temporaryFileSystem, .inaccessible:
      // Their paths are in the guest, and an earlier mount may create them.
      return []
    }
  }

  private static func credentialProblem(_ credential: Credential, _ subject: CheckedGuest) -> Diagnostic? {
    guard case .path(let path) = credential.source, let error = missing(path) else { return nil }
    return problem(
      error, subject, "Guest", "LoadCredential", path, as: "LoadCredential=\(credential.id):\(path)",
      "LoadCredential=\(credential.id): \(error), so the guest cannot start; create it, or remove the setting")
  }

  // The consequence of a path that cannot be used. `setting` names the path in the warning for a user who may not look at it.
  private static func problem(
    _ error: SystemError, _ subject: CheckedGuest, _ section: String, _ key: String, _ value: String,
    as setting: String, _ message: String
  ) -> Diagnostic {
    if let words = unexamined(setting, error) { return subject.problem(.warning, section, key, value: value, words) }
    return subject.problem(.error, section, key, value: value, message)
  }

  /// Why a path of this host cannot be used; nil when something is there.
  private static func missing(_ path: String) -> SystemError? {
    do throws(SystemError) {
      _ = try FileStatus(path, followingLinks: true)
      return nil
    } catch {
      return error
    }
  }
}
