/// A file in the syntax of systemd.syntax(7): its sections in the order written, and what was wrong with its lines.
///
/// A section that stands twice in the file stands twice here; which sections and keys have a meaning is for the reader
/// of it.
public struct UnitFile: Equatable, Sendable {
  /// The name used in diagnostics.
  public var path: String
  /// In the order written.
  public var sections: [Section]
  /// What did not follow the syntax; those lines are in no section.
  public var diagnostics: [Diagnostic]

  public init(path: String, sections: [Section] = [], diagnostics: [Diagnostic] = []) {
    self.path = path
    self.sections = sections
    self.diagnostics = diagnostics
  }
}

/// `[Name]` and the assignments below it.
public struct Section: Equatable, Sendable {
  /// Without the brackets.
  public var name: String
  /// In the order written.
  public var entries: [Entry]
  /// As it was named when it was read.
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

/// `Key=value`: continuation lines joined, white space around both taken away, quotes and escapes untouched.
public struct Entry: Equatable, Sendable {
  /// What stands before the `=`.
  public var key: String
  /// What stands behind it, not yet split or unescaped.
  public var value: String
  /// As it was named when it was read.
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
