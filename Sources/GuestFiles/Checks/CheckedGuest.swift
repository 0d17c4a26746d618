import GuestSpec
import Linux
import UnitSyntax

/// What a check may use: the guest, the lines of its files, its root as PID 1 will see it, and the directories of this host's units.
struct CheckedGuest {
  let loaded: LoadedGuest
  let lines: SettingLines
  /// The guest's root. Root in the guest controls it, see `GuestTree`.
  let tree: GuestTree
  /// The directories of this host's units, highest precedence first.
  let hostUnits: [String]

  init(_ loaded: LoadedGuest, hostUnits: [String]) {
    self.loaded = loaded
    self.hostUnits = hostUnits
    lines = SettingLines(loaded.files)
    tree = GuestTree(loaded.guest)
  }

  var guest: Guest { loaded.guest }
  /// Whether the guest's root directory exists. Without it nothing can be said of what is in it.
  var hasRoot: Bool { (try? FileStatus(guest.rootDirectory, followingLinks: true))?.kind == .directory }

  /// A problem of a setting, at its line.
  ///
  /// - Parameters:
  ///   - severity: an error if the guest would not start.
  ///   - section: the section of the setting.
  ///   - key: the setting.
  ///   - value: a part of the value, for a setting that may stand in several lines.
  ///   - message: what is so, what follows, and what to write.
  /// - Returns: the problem.
  func problem(
    _ severity: Diagnostic.Severity, _ section: String, _ key: String, value: String = "", _ message: String
  ) -> Diagnostic {
    let line = lines.last(section, key, value) ?? lines.whole
    return Diagnostic(file: line.file, line: line.number, severity, message)
  }
}

/// The lines of a guest's files, read once more, because `Guest` does not keep line numbers.
struct SettingLines {
  struct Line {
    var file: String
    /// Counted from 1; 0 stands for the whole file.
    var number: Int
  }

  private var entries: [(section: String, entry: Entry)] = []
  /// The file with the highest precedence, for problems that belong to no line.
  let whole: Line

  /// - Parameter files: the paths, lowest precedence first.
  init(_ files: [String]) {
    whole = Line(file: files.last { $0.hasSuffix(".guest") } ?? files.last ?? "", number: 0)
    for section in files.flatMap({ UnitSearch(tree: HostTree(), directories: []).read($0).sections }) {
      entries += section.entries.map { (section.name, $0) }
    }
  }

  /// All lines of a setting.
  func all(_ section: String, _ key: String) -> [Line] {
    entries.filter { $0.section == section && $0.entry.key == key }
      .map { Line(file: $0.entry.file, number: $0.entry.line) }
  }

  /// The last line of a setting whose value contains `value`; without one, the last line of the setting.
  func last(_ section: String, _ key: String, _ value: String) -> Line? {
    let found = entries.filter { $0.section == section && $0.entry.key == key }.map(\.entry)
    // A value may be written with specifiers or escapes.
    let best = value.isEmpty ? nil : found.last { $0.value.contains(value) }
    return (best ?? found.last).map { Line(file: $0.file, number: $0.line) }
  }
}
