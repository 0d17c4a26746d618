import Glibc
import Linux
import Systemd

/// Carries out a task in this helper process, which was started for it alone.
///
/// - Returns: the exit status of the process. An error is written to stdout.
func run(_ task: HelperTask, _ arguments: [String]) -> Int32 {
  do throws(SystemError) {
    switch task {
    case .removeTree:
      for path in arguments { try removeTree(path) }
    }
    return EXIT_SUCCESS
  } catch {
    print(error)
    return EXIT_FAILURE
  }
}
