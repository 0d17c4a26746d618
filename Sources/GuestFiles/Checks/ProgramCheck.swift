import GuestSpec
import UnitSyntax

/// The program that becomes the guest's PID 1.
enum ProgramCheck: GuestCheck {
  static func problems(of subject: CheckedGuest) -> [Diagnostic] {
    // PivotRoot= and overlays change which file a path names; that is known only after the mounts.
    let isForeseeable = subject.guest.exec.root.pivot == nil && !subject.guest.files.mounts.contains(where: isOverlay)
    guard subject.hasRoot, isForeseeable else { return [] }
    return subject.guest.exec.boot ? initProblems(subject) : commandProblems(subject)
  }

  private static func commandProblems(_ subject: CheckedGuest) -> [Diagnostic] {
    // A name without a slash is searched for at execve(2), so it cannot be judged here.
    guard let program = subject.guest.exec.parameters.first, program.hasPrefix("/") else { return [] }
    if subject.tree.willHave(program) { return [] }
    return [
      subject.problem(
        .error, "Exec", "Parameters",
        "Parameters=\(program): \(subject.guest.rootDirectory) has no such file, so the guest cannot start; write the path of "
          + "a program in the guest's root")
    ]
  }

  private static func initProblems(_ subject: CheckedGuest) -> [Diagnostic] {
    if InitSystem.paths.contains(where: subject.tree.willHave) { return [] }
    return [
      subject.problem(
        .error, "Exec", "Boot",
        "Boot=yes: \(subject.guest.rootDirectory) has no init (\(InitSystem.paths.joined(separator: ", "))), so the guest cannot start; "
          + "install one, or write Boot=no and the program as Parameters=")
    ]
  }

  private static func isOverlay(_ mount: CustomMount) -> Bool {
    switch mount {
    case .overlay: true
    case .bind, .bindOwn, .temporaryFileSystem, .inaccessible: false
    }
  }
}

extension GuestTree {
  /// Whether the guest's root has something at a path, which may be any kind of file.
  func has(_ path: String) -> Bool {
    guard let kind = try? kind(of: path) else { return true }
    return kind != .missing
  }

  /// Whether the program is there when the guest runs. A start makes missing links at the top of the root: /bin leads to /usr/bin.
  func willHave(_ path: String) -> Bool {
    if has(path) { return true }
    guard let top = path.split(separator: "/").first, ["bin", "sbin", "lib"].contains(top) else { return false }
    return !has("/\(top)") && has("/usr" + path)
  }
}
