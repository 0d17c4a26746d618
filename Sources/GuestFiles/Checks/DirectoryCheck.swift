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
      let status = try FileStatus(path, followingLinks: true)
      if status.kind != .directory {
        return [subject.problem(.error, "Guest", "Directory", "\(setting) is not a directory; \(remedy)")]
      }
      // This user may see the directory, but perhaps not what is in it.
      _ = try FileStatus("\(path)/.", followingLinks: true)
      // With Volatile=yes the guest's / is a tmpfs, with a mode of its own.
      if status.mode & 0o001 != 0 || subject.guest.files.volatile == .yes { return [] }
      return [subject.problem(.warning, "Guest", "Directory", closed(path))]
    } catch {
      if let words = unexamined("Directory=\(path)", error) {
        return [subject.problem(.warning, "Guest", "Directory", words)]
      }
      return [
        subject.problem(
          .error, "Guest", "Directory", "\(setting) cannot be read (\(error)), so the guest cannot start; \(remedy)")
      ]
    }
  }
}

extension DirectoryCheck {
  /// The root's own mode is that of `/` in the guest.
  private static func closed(_ path: String) -> String {
    "Directory=\(path): its mode does not let others enter, so users in the guest cannot enter /; run chmod 0755 on it, "
      + "and keep this host's users out by mode 0700 on the directory above it"
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
