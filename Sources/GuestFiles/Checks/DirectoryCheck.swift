import GuestSpec
import Linux
import UnitSyntax

/// `Directory=`: the guest's root directory.
enum DirectoryCheck: GuestCheck {
  static func problems(of subject: CheckedGuest) -> [Diagnostic] {
    let path = subject.guest.rootDirectory
    let isNamed = subject.guest.policy.directory != nil
    let setting = isNamed ? "Directory=\(path)" : "\(path), the root directory of a guest without Directory=,"
    let remedy = isNamed ? "name the directory of the guest's root, or make it" : "make it, or write Directory="
    do throws(SystemError) {
      let kind = try FileStatus(path, followingLinks: true).kind
      if kind == .directory { return [] }
      return [subject.problem(.error, "Guest", "Directory", "\(setting) is not a directory; \(remedy)")]
    } catch {
      return [
        subject.problem(
          .error, "Guest", "Directory", "\(setting) cannot be read (\(error)), so the guest cannot start; \(remedy)")
      ]
    }
  }
}

/// Guests whose systems would write to one tree at the same time.
enum SharedDirectoryCheck {
  static func problems(of subjects: [CheckedGuest]) -> [Diagnostic] {
    subjects.indices.compactMap { index in
      let later = subjects[index].guest
      guard let earlier = subjects[..<index].first(where: { endanger($0.guest, later) })?.guest else { return nil }
      let relation =
        earlier.rootDirectory == later.rootDirectory
        ? "is also the root" : "and \(earlier.rootDirectory) lie in one another; that is the root"
      return subjects[index].problem(
        .error, "Guest", "Directory",
        "Directory=\(later.rootDirectory) \(relation) of the guest \(earlier.name), and a tree to which one system writes "
          + "while another uses it is soon broken; give each its own copy, or write Volatile=overlay in [Files] of both"
      )
    }
  }

  private static func endanger(_ one: Guest, _ other: Guest) -> Bool {
    let (path, otherPath) = (one.rootDirectory.split(separator: "/"), other.rootDirectory.split(separator: "/"))
    if path == otherPath { return one.writesToItsDirectory || other.writesToItsDirectory }
    // Only the outer guest can change the inner guest's tree.
    return otherPath.starts(with: path) && one.writesToItsDirectory
      || path.starts(with: otherPath) && other.writesToItsDirectory
  }
}
