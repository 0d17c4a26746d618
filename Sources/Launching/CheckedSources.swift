import CLaunch
import Glibc
import Linux
import Planning

/// The files of the host that the steps of a plan open by their paths, each looked at beforehand as `SafePath` says.
///
/// They stay open with this value. So the child, which opens them again, can tell whether somebody has exchanged one meanwhile.
final class CheckedSources {
  private let files = DescriptorList()
  private var identities: [String: launch_identity] = [:]

  /// - Throws: `LaunchError`; `EPERM` when somebody else than root could lead a path elsewhere.
  init(of plan: LaunchPlan) throws(LaunchError) {
    // What the child itself makes is in directories of the daemon's.
    var made: Set<String> = []
    for step in plan.steps {
      if case .switchRoot = step { return }
      if case .makeDirectory(let path, _) = step { made.insert(path) }
      guard case .open(_, let source, _, _, _) = step, !made.contains(source), identities[source] == nil else {
        continue
      }
      do throws(SystemError) {
        identities[source] = try find(source)
      } catch {
        throw LaunchError("\(step.description) (\(error.call))", errno: error.errno)
      }
    }
  }

  /// The file that the child must find at a path; nil where it finds what it has made.
  subscript(source: String) -> launch_identity? { identities[source] }

  private func find(_ source: String) throws(SystemError) -> launch_identity {
    do throws(SystemError) {
      let path = try SafePath(source)
      let (device, inode) = (path.identity.device, path.identity.inode)
      files.append(path.takeDescriptor())
      return launch_identity(major: device.major, minor: device.minor, inode: inode)
    } catch {
      // Nothing may appear there either. The child says that it is missing, or that it need not be there.
      if error.errno == ENOENT || error.errno == ENOTDIR { return launch_identity() }
      throw error
    }
  }
}
