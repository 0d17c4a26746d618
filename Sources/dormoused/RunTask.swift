import Glibc
import Linux
import Systemd

/// Carries out a task in this process, which was made for it.
///
/// - Returns: the exit status of the process. What went wrong is on its output.
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
