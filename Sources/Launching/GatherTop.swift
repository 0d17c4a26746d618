import Glibc
import GuestSpec
import Linux
import Planning

extension StartFacts.RootFiles {
  /// Finds what the top of the guest's root has and lacks. `root` is the path on the host.
  mutating func findTop(of guest: Guest, root: String) {
    let above = guest.exec.root.pivot?.new ?? ""
    for (name, candidates) in Self.links {
      switch Self.entry("\(above)/\(name)", root) {
      case .link(let target): topLevelLinks.append(TopLevelLink(name, to: target))
      case .other: break
      case .missing:
        guard let target = candidates.first(where: { Self.has("\(above)/\($0.path)", root) })?.target else { break }
        missing.links.append(TopLevelLink(name, to: target))
      }
    }
    // An application's root without /usr is complete as it is.
    if Self.has(above + "/usr", root) {
      missing.directories = ["etc", "root", "var"].filter { Self.entry("\(above)/\($0)", root) == .missing }
    }
    if guest.files.volatile == .yes {
      topLevelLinks += missing.links
      missing = StartFacts.MissingTop()
    } else if guest.files.volatile != .overlay, !guest.exec.root.ephemeral, Self.isReadOnly(root) {
      missing = StartFacts.MissingTop()
    }
  }

  private enum Entry: Equatable {
    case missing, other
    case link(to: String)
  }

  private static func entry(_ path: String, _ root: String) -> Entry {
    do throws(SystemError) {
      let file = try FileInRoot(path, inRoot: root, limit: 0)
      return file.link.map { .link(to: $0) } ?? .other
    } catch {
      return error.errno == ENOENT ? .missing : .other
    }
  }

  private static func has(_ path: String, _ root: String) -> Bool {
    (try? FileStatus(path, inRoot: root)) != nil
  }

  private static func isReadOnly(_ root: String) -> Bool {
    (try? FileInRoot("/", inRoot: root, limit: 0))?.isReadOnly == true
  }

  /// The links that a root should have, each with its possible targets, as in systemd's base-filesystem.c. /lib64 leads to
  /// the first of the architecture's library directories that has the dynamic linker at `path`. A link without a possible target is
  /// never made, but kept where the root has it.
  private static let links: [(name: String, candidates: [(target: String, path: String)])] = [
    ("bin", [("usr/bin", "usr/bin")]), ("sbin", [("usr/sbin", "usr/sbin")]), ("lib", [("usr/lib", "usr/lib")]),
    ("lib32", []), ("lib64", lib64.map { ($0, "\($0)/\(dynamicLinker)") }), ("libx32", []),
  ]

  #if arch(arm64)
    private static let lib64 = ["usr/lib/aarch64-linux-gnu", "usr/lib64"]
    private static let dynamicLinker = "ld-linux-aarch64.so.1"
  #else
    private static let lib64 = ["usr/lib/x86_64-linux-gnu", "usr/lib64"]
    private static let dynamicLinker = "ld-linux-x86-64.so.2"
  #endif
}
