import Glibc
import GuestSpec
import Linux
import UnitSyntax

/// Users and groups that settings name, in the guest and on this host.
enum UserCheck: GuestCheck {
  static func problems(of subject: CheckedGuest) -> [Diagnostic] {
    guestUser(subject) + boundUsers(subject) + socketOwners(subject)
  }

  /// `User=`: the guest's own files count, for the same name may be another user on the host.
  private static func guestUser(_ subject: CheckedGuest) -> [Diagnostic] {
    guard let user = subject.guest.exec.process.user, user != "root", UInt32(user) == nil, subject.hasRoot,
      subject.guest.exec.root.pivot == nil
    else { return [] }
    let passwd = (try? subject.tree.read("/etc/passwd")) ?? []
    let names = passwd.split(separator: UInt8(ascii: "\n")).map { $0.prefix { $0 != UInt8(ascii: ":") } }
    if names.contains(where: { $0.elementsEqual(user.utf8) }) { return [] }
    return [
      subject.problem(
        .error, "Exec", "User",
        "User=\(user): \(subject.guest.rootDirectory) has no such user in its /etc/passwd, so the guest cannot start; write "
          + "the name of an existing user, or an ID")
    ]
  }

  private static func boundUsers(_ subject: CheckedGuest) -> [Diagnostic] {
    subject.guest.files.bindUsers.filter { !isUser($0) }.map { name in
      subject.problem(
        .error, "Files", "BindUser", value: name,
        "BindUser=\(name): this host has no such user, so the guest cannot start; write the name of a user of the host")
    }
  }

  /// The owners of socket files, on this host.
  private static func socketOwners(_ subject: CheckedGuest) -> [Diagnostic] {
    subject.guest.sockets.map(\.file).flatMap { file in
      let user = file.user.flatMap { isUser($0) ? nil : ("SocketUser", $0, "user") }
      let group = file.group.flatMap { isGroup($0) ? nil : ("SocketGroup", $0, "group") }
      return [user, group].compactMap { $0 }.map { key, name, kind in
        subject.problem(
          .error, "Socket", key, value: name,
          "\(key)=\(name): this host has no such \(kind), so the socket cannot be made; write the name or the number of one"
        )
      }
    }
  }

  /// Whether this host has the user. If the databases cannot be read, the user counts as existing.
  private static func isUser(_ name: String) -> Bool {
    if UInt32(name) != nil { return true }
    do throws(SystemError) { return try UserEntry(named: name) != nil } catch { return true }
  }

  private static func isGroup(_ name: String) -> Bool { UInt32(name) != nil || getgrnam(name) != nil }
}
