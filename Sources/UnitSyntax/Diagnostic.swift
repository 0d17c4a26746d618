/// What is wrong with a file, and where: one line for a person.
public struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
  /// Whether what was meant can be carried out all the same.
  public enum Severity: String, Hashable, Sendable {
    case error, warning
  }

  /// The file as it was named when it was read.
  public var file: String
  /// Counted from 1; 0 when the file as a whole is meant.
  public var line: Int
  /// A guest with an error is not started.
  public var severity: Severity
  /// What is wrong and how to put it right, without file and line.
  public var message: String

  public init(file: String, line: Int = 0, _ severity: Severity, _ message: String) {
    self.file = file
    self.line = line
    self.severity = severity
    self.message = message
  }

  /// `web.guest:3: Boot=maybe: not a boolean; write yes or no`, and `web.guest:3: warning: …`.
  public var description: String {
    let place = line == 0 ? file : "\(file):\(line)"
    switch severity {
    case .error: return "\(place): \(message)"
    case .warning: return "\(place): warning: \(message)"
    }
  }
}
