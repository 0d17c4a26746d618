/// A file in the syntax of systemd.syntax(7): its sections in the order of the file, and its syntax errors.
///
/// A section that occurs twice in the file occurs twice here. Which sections and keys have a meaning is not known here.
public struct UnitFile: Equatable, Sendable {
  /// The path for diagnostics.
  public var path: String
  /// The sections in the order of the file.
  public var sections: [Section]
  /// The syntax errors; the lines in question are in no section.
  public var diagnostics: [Diagnostic]

  public init(path: String, sections: [Section] = [], diagnostics: [Diagnostic] = []) {
    self.path = path
    self.sections = sections
    self.diagnostics = diagnostics
  }
}

/// `[Name]` and the assignments below it.
public struct Section: Equatable, Sendable {
  /// The name without the brackets.
  public var name: String
  /// The assignments in the order of the file.
  public var entries: [Entry]
  /// The path of the file.
  public var file: String
  /// The line of the header, counted from 1.
  public var line: Int

  public init(_ name: String, entries: [Entry] = [], file: String, line: Int) {
    self.name = name
    self.entries = entries
    self.file = file
    self.line = line
  }
}

/// An assignment `Key=value`: continuation lines are joined and outer white space is removed; quotes and escapes are kept.
public struct Entry: Equatable, Sendable {
  /// The text before the `=`.
  public var key: String
  /// The text after the `=`, not yet split into words or unescaped.
  public var value: String
  /// The path of the file.
  public var file: String
  /// The first line of the assignment, counted from 1.
  public var line: Int

  public init(_ key: String, _ value: String, file: String, line: Int) {
    self.key = key
    self.value = value
    self.file = file
    self.line = line
  }
}
