/// One problem of a file: what is wrong, and in which line.
public struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
  /// How serious a problem is.
  public enum Severity: String, Hashable, Sendable {
    /// The file cannot be used as it is.
    case error
    /// The line has no effect, or not the one that was probably wanted; the rest of the file is used.
    case warning
  }

  /// The path under which the file was read.
  public var file: String
  /// The line number, counted from 1; 0 stands for the whole file.
  public var line: Int
  /// How serious the problem is: a guest with an error does not start.
  public var severity: Severity
  /// What is wrong and how to correct it, without the file and the line.
  public var message: String

  public init(file: String, line: Int = 0, _ severity: Severity, _ message: String) {
    self.file = file
    self.line = line
    self.severity = severity
    self.message = message
  }

  /// `web.guest:3`, or the file alone.
  public var place: String { line == 0 ? file : "\(file):\(line)" }

  /// `web.guest:3: Boot=maybe: not a boolean; write yes or no`, and `web.guest:3: warning: …`.
  public var description: String {
    switch severity {
    case .error: return "\(place): \(message)"
    case .warning: return "\(place): warning: \(message)"
    }
  }
}
