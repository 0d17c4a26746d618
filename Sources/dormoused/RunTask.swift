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
    case .giveTree:
      guard arguments.count == 3, let base = UInt32(arguments[1]), let busy = UInt32(arguments[2]) else {
        return EX_USAGE
      }
      try giveTree(arguments[0], to: base, busy: busy)
    }
    return EXIT_SUCCESS
  } catch {
    print(error)
    return EXIT_FAILURE
  }
}
