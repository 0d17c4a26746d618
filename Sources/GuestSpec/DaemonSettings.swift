import UnitSyntax

/// The settings of dormoused.conf(5). They apply to the daemon, not to one guest.
public struct DaemonSettings: Equatable, Sendable {
  /// `MaxConcurrentStarts=`: how many guests may start at once; nil: one more than there are processors.
  public var maxConcurrentStarts: UInt32?
  /// `KeepFree=`: how much of a file system stays free of guests' files.
  public var keepFree: Resources.Amount?

  public init() {}

  /// The settings, and every problem of their files.
  public struct Reading: Equatable, Sendable {
    public var settings = DaemonSettings()
    public var diagnostics: [Diagnostic] = []
  }

  /// Reads the settings from `dormoused.conf` and its drop-ins, lowest precedence first. A later assignment wins. An invalid value leaves
  /// a setting unchanged.
  public static func read(from files: [UnitFile]) -> Reading {
    var reading = Reading()
    for file in files {
      reading.diagnostics += file.diagnostics
      for section in file.sections { reading.read(section) }
    }
    return reading
  }
}

extension DaemonSettings: Defaulted {
  static var defaults: DaemonSettings { DaemonSettings() }
}

extension DaemonSettings.Reading {
  fileprivate mutating func read(_ section: Section) {
    if section.name.isForOtherPrograms { return }
    guard section.name == "Daemon" else {
      let message = unknownSection(section.name, among: ["Daemon"], rule: "the only section is [Daemon]")
      return report(section.file, section.line, .warning, message)
    }
    for entry in section.entries { read(entry) }
  }

  private mutating func read(_ entry: Entry) {
    guard let setting = Settings.daemon.first(where: { $0.key == entry.key }) else {
      if entry.key.isForOtherPrograms { return }
      let message = unknownSetting(entry.key, in: "Daemon", among: Settings.daemon.map(\.key))
      return report(entry.file, entry.line, .warning, message)
    }
    var context = ValueContext(specifiers: nil, guestName: "")
    do {
      try setting.assign(entry.value, &settings, &context)
    } catch {
      report(entry.file, entry.line, .error, "\(entry.key)=\(entry.value.shortened): \(error.reason)")
    }
  }

  private mutating func report(_ file: String, _ line: Int, _ severity: Diagnostic.Severity, _ message: String) {
    if diagnostics.count >= UnitFile.diagnosticLimit { return }
    diagnostics.append(Diagnostic(file: file, line: line, severity, message))
  }
}
