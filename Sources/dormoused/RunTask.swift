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
    case .giveTree:
      guard arguments.count == 3, let base = UInt32(arguments[0]), let busy = UInt32(arguments[1]) else {
        return EX_USAGE
      }
      try giveTree(OwnedFD(owning: 3), arguments[2], to: base, busy: busy)
    }
    return EXIT_SUCCESS
  } catch {
    print(error)
    return EXIT_FAILURE
  }
}
