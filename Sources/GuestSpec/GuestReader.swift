import UnitSyntax

/// Builds a guest from its files, which are read one after the other.
struct GuestReader {
  private(set) var guest: Guest
  private var groups: [Group] = []
  private var diagnostics: [Diagnostic] = []
  private let specifiers: Specifiers
  /// Where each setting was last assigned, by `Section.Key`: the place of an error that only several settings together show.
  private(set) var places: [String: Place] = [:]

  struct Place {
    var file: String
    var line: Int
  }

  private struct Group {
    var socket = SocketGroup()
    /// The places of the addresses in `socket.listen`, in the same order.
    var places: [Place] = []
    var header: Place
    /// Whether an empty group is no surprise: a drop-in removed its addresses, or an error about one was reported.
    var wasReset = false

    /// Removes the addresses.
    mutating func reset() {
      socket.listen = []
      places = []
      wasReset = true
    }
  }

  /// The kind of a file decides which sections it may have and whether specifiers are replaced.
  private enum FileKind: Equatable {
    case nspawn, fragment, dropIn

    init(path: String) {
      self = path.hasSuffix(".nspawn") ? .nspawn : path.hasSuffix(".conf") ? .dropIn : .fragment
    }
  }

  init(name: String, specifiers: Specifiers) {
    guest = Guest(name: name)
    self.specifiers = specifiers
  }

  mutating func read(_ file: UnitFile) {
    let kind = FileKind(path: file.path)
    diagnostics += file.diagnostics
    for section in file.sections {
      if section.name == "Socket", kind != .nspawn {
        var group = Group(header: Place(file: section.file, line: section.line))
        for entry in section.entries { read(entry, into: &group, kind) }
        groups.append(group)
      } else if let table = Self.table(section.name, kind) {
        var target = guest
        for entry in section.entries {
          assign(entry, in: section.name, table, to: &target, kind)
          places["\(section.name).\(entry.key)"] = Place(file: entry.file, line: entry.line)
        }
        guest = target
      } else {
        unknown(section, kind)
      }
    }
  }

  private static func table(_ section: String, _ kind: FileKind) -> [Setting<Guest>]? {
    switch section {
    case "Exec": Settings.exec
    case "Files": Settings.files
    case "Network": Settings.network
    case "Guest": kind == .nspawn ? nil : Settings.guest
    default: nil
    }
  }

  private mutating func read(_ entry: Entry, into group: inout Group, _ kind: FileKind) {
    let isListener = Listen.Kind.allCases.contains { $0.key == entry.key }
    if isListener, entry.value.isEmpty, kind == .dropIn {
      for index in groups.indices { groups[index].reset() }
      group.reset()
      return
    }
    assign(entry, in: "Socket", Settings.socket, to: &group.socket, kind)
    let count = group.socket.listen.count
    group.places.removeLast(max(0, group.places.count - count))
    if group.places.count < count { group.places.append(Place(file: entry.file, line: entry.line)) }
    // An address that could not be read was reported already; a warning about an empty group would only repeat that.
    if isListener { group.wasReset = true }
  }

  private mutating func assign<Target>(
    _ entry: Entry, in section: String, _ table: [Setting<Target>], to target: inout Target, _ kind: FileKind
  ) {
    let place = Place(file: entry.file, line: entry.line)
    guard let setting = table.first(where: { $0.key == entry.key }) else {
      unknown(entry, in: section, among: table.map(\.key))
      return
    }
    if setting.expects == nil {
      report(place, .warning, "\(entry.key)= is not supported by this version of Dormouse and has no effect")
      return
    }
    var context = ValueContext(specifiers: kind == .nspawn ? nil : specifiers, guestName: guest.name)
    do {
      try setting.assign(entry.value, &target, &context)
    } catch {
      let value = setting.isSecret ? Self.nameOnly(entry.value) : entry.value.shortened
      report(place, .error, "\(entry.key)=\(value): \(error.reason)")
    }
    for warning in context.warnings { report(place, .warning, "\(entry.key)=: \(warning)") }
  }

  /// Shortens `ID:VALUE` to `ID:…`, so that no message shows a secret.
  private static func nameOnly(_ value: String) -> String {
    value.utf8.firstIndex(of: UInt8(ascii: ":")).map { String(value[..<$0]).shortened + ":…" } ?? "…"
  }

  private mutating func unknown(_ entry: Entry, in section: String, among keys: [String]) {
    if entry.key.isForOtherPrograms || hasTooManyProblems { return }
    let homes = Settings.sections.filter { $0.keys.contains(entry.key) }.map(\.name)
    let message = unknownSetting(entry.key, in: section, among: keys, homes: homes)
    report(Place(file: entry.file, line: entry.line), .warning, message)
  }

  private mutating func unknown(_ section: Section, _ kind: FileKind) {
    if section.name.isForOtherPrograms { return }
    let place = Place(file: section.file, line: section.line)
    let names = Settings.sections.map(\.name)
    if names.contains(section.name) {
      report(place, .warning, "[\(section.name)] belongs in a .guest file and has no effect here")
    } else {
      let rule = "the sections are [Exec], [Files], [Network], [Socket] and [Guest]"
      report(place, .warning, unknownSection(section.name, among: names, rule: rule))
    }
  }

  /// Whether no further problems are reported: nobody reads the thousandth one, and a file may have millions.
  private var hasTooManyProblems: Bool { diagnostics.count > UnitFile.diagnosticLimit }

  mutating func report(_ place: Place, _ severity: Diagnostic.Severity, _ message: String) {
    if hasTooManyProblems { return }
    if diagnostics.count == UnitFile.diagnosticLimit {
      let more = "the guest's files have more than \(UnitFile.diagnosticLimit) problems; the others are not shown"
      diagnostics.append(Diagnostic(file: place.file, line: place.line, .error, more))
      return
    }
    diagnostics.append(Diagnostic(file: place.file, line: place.line, severity, message))
  }

  /// Checks the guest as a whole.
  ///
  /// - Parameter file: the file to name where no line is wrong by itself.
  /// - Returns: the guest and all diagnostics.
  mutating func finish(_ file: String) -> GuestReading {
    let whole = Place(file: file, line: 0)
    if !isHostname(guest.name) {
      let rule = "letters, digits, dashes and single dots, at most 64 characters"
      report(whole, .error, "\"\(guest.name.shortened)\" is not a guest name; use \(rule)")
    }
    checkExec(whole)
    checkIdleness(whole)
    if guest.policy.directory == "/", guest.files.volatile == .no {
      let remedy = "add Volatile=yes to [Files], or set another directory"
      report(
        places["Guest.Directory"] ?? whole, .error, "Directory=/ would share the host's root with the guest; \(remedy)")
    }
    for (key, problem) in guest.network.contradictions {
      let place = key.flatMap { places["Network.\($0)"] }
      report(place ?? whole, .error, key.map { "\($0)=: \(problem)" } ?? problem)
    }
    let journal = guest.exec.integration.linkJournal
    if guest.exec.root.ephemeral, [.host, .guest].contains(journal) {
      report(
        places["Exec.LinkJournal"] ?? whole, .error,
        "LinkJournal=\(journal.rawValue) keeps the journal of a guest that Ephemeral=yes discards; remove one of them")
    } else if journal == .guest, guest.files.volatile != .no {
      report(
        places["Exec.LinkJournal"] ?? whole, .error,
        "Volatile= discards the guest's own journal when the guest stops; write LinkJournal=host")
    }
    for group in groups where group.socket.listen.isEmpty && !group.wasReset {
      report(group.header, .warning, "this [Socket] has no ListenStream= or other address and has no effect")
    }
    groups.removeAll { $0.socket.listen.isEmpty }
    guest.sockets = groups.map(\.socket)
    let listeners = groups.flatMap { group in
      zip(group.socket.listen, group.places).map {
        PlacedListener($0, in: group.socket, file: $1.file, line: $1.line)
      }
    }
    diagnostics += listeners.compactMap(\.withoutInterface)
    diagnostics += conflicts(among: listeners) + bypassed(listeners, by: guest.network.ports)
    return GuestReading(guest: guest, diagnostics: diagnostics, listeners: listeners)
  }
}
