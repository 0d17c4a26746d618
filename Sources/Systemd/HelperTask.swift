/// Work that this program does in a helper process. Each task takes arguments, exits with status 0 if it did all of it, and writes its
/// results to standard output.
public enum HelperTask: String, CaseIterable, Sendable {
  /// Removes the trees at these paths.
  case removeTree = "remove-tree"
  /// Gives the tree of the directory that is open as descriptor 3 to the range of ids that begins at the first argument. The second one is
  /// the owner of the directory meanwhile, the third one its path.
  case giveTree = "give-tree"

  private static let option = "--helper"

  /// The arguments, from `argv[0]`, with which this program carries out the task.
  func commandLine(_ arguments: [String]) -> [String] { ["dormoused", Self.option, rawValue] + arguments }

  /// The task of a command line, and its arguments; nil when the command line is not that of a helper process.
  public static func of(_ commandLine: [String]) -> (task: HelperTask, arguments: [String])? {
    guard commandLine.count >= 3, commandLine[1] == option, let task = HelperTask(rawValue: commandLine[2]) else {
      return nil
    }
    return (task, Array(commandLine.dropFirst(3)))
  }
}
