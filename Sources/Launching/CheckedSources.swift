import CLaunch
import Glibc
import Linux
import Planning

/// The host's files that the steps of a plan open by path. `SafePath` checks first that only root can redirect a path.
///
/// This value owns a descriptor of each, so no inode is reused. The child opens the paths again, and can tell whether a file was replaced.
final class CheckedSources {
  private let files = DescriptorList()
  private var identities: [String: launch_identity] = [:]

  /// - Throws: `LaunchError`; `EPERM` when a user other than root could redirect a path.
  init(of plan: LaunchPlan) throws(LaunchError) {
    // The child makes these itself, in directories that belong to the daemon.
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

  /// The file that the child must find at a path; nil for a directory that the child has made.
  subscript(source: String) -> launch_identity? { identities[source] }

  private func find(_ source: String) throws(SystemError) -> launch_identity {
    do throws(SystemError) {
      let path = try SafePath(source)
      let (device, inode) = (path.identity.device, path.identity.inode)
      files.append(path.takeDescriptor())
      return launch_identity(major: device.major, minor: device.minor, inode: inode)
    } catch {
      // The child must not accept a file that appears later. It reports the missing one, or skips it if it is optional.
      if error.errno == ENOENT || error.errno == ENOTDIR { return launch_identity() }
      throw error
    }
  }
}
