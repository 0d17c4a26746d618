/// What this program does in a helper process instead of its own work. Each task takes arguments, and tells by its exit status whether it did
/// all of it; what it has to say it writes to its output.
public enum HelperTask: String, CaseIterable, Sendable {
  /// Removes the trees at these paths.
  case removeTree = "remove-tree"

  private static let option = "--helper"

  /// The command line, with the program's name, by which this program carries out the task.
  func commandLine(_ arguments: [String]) -> [String] { ["dormoused", Self.option, rawValue] + arguments }

  /// The task of a command line, and its arguments; nil when the program has to do its own work.
  public static func of(_ commandLine: [String]) -> (task: HelperTask, arguments: [String])? {
    guard commandLine.count >= 3, commandLine[1] == option, let task = HelperTask(rawValue: commandLine[2]) else {
      return nil
    }
    return (task, Array(commandLine.dropFirst(3)))
  }
}
