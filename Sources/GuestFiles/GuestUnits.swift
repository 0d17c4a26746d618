import GuestSpec
import Linux
import UnitSyntax

/// The units of a guest that runs systemd, found in its root as systemd in it will find them.
struct GuestUnits {
  /// Of systemd.unit(5)'s load path those that hold anything before the guest has started.
  private static let directories = [
    "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
    "/lib/systemd/system",
  ]
  /// Limits what a guest's tree can make this host do.
  private static let unitLimit = 1024

  private let guest: Guest
  private let tree: GuestTree
  private let search: UnitSearch<GuestTree>

  /// nil when the guest's PID 1 is not systemd: a command line of its own, or another init.
  init?(_ guest: Guest) {
    guard guest.exec.boot else { return nil }
    let tree = GuestTree(guest)
    let programs = ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"]
    guard programs.contains(where: { if case .file = try? tree.look(at: $0) { true } else { false } }) else {
      return nil
    }
    self.guest = guest
    self.tree = tree
    search = UnitSearch(tree: tree, directories: Self.directories(in: tree))
  }

  /// Without those that are links to an earlier one: with a merged /usr, /lib is /usr/lib.
  private static func directories(in tree: GuestTree) -> [String] {
    var seen: Set<String> = []
    return directories.filter { seen.insert((try? tree.canonical($0)) ?? $0).inserted }
  }

  /// The sockets that some unit's `.wants`, `.requires` or `.upholds` directory names, each once, in the order of
  /// their names.
  func enabledSockets() -> [SocketUnit] { load(wantedUnits { $0.hasSuffix(".socket") }) }

  /// Also those that an enabled unit of another kind names in a dependency: systemd loads what it is told of.
  func referencedSockets() -> [SocketUnit] {
    let wanted = wantedUnits { _ in true }
    var names = Set(wanted.filter { $0.hasSuffix(".socket") })
    for name in wanted.subtracting(names).sorted().prefix(Self.unitLimit) {
      names.formUnion(files(of: name)?.files.flatMap(Self.sockets(namedIn:)) ?? [])
    }
    return load(names)
  }

  private func load(_ names: Set<String>) -> [SocketUnit] {
    var units: [String: SocketUnit] = [:]
    for name in names.sorted().prefix(Self.unitLimit) {
      guard let (name, files) = files(of: name) else { continue }
      units[name] = SocketUnit(name: name, files: files)
    }
    return units.sorted { $0.key < $1.key }.map(\.value)
  }

  /// What is linked under a unit that a normal boot loads.
  private func wantedUnits(where isInteresting: (String) -> Bool) -> Set<String> {
    var wanted: Set<String> = []
    for folder in search.names(suffix: "s").names where Self.isOfNormalBoot(folder) {
      let links = UnitSearch(tree: tree, directories: search.directories.map { "\($0)/\(folder)" })
      for name in links.names(suffix: "").names where isInteresting(name) {
        // The name of the link decides and not where it points; a mask there takes the dependency away.
        if (try? links.find(name)) != .masked { wanted.insert(name) }
      }
    }
    return wanted
  }

  private static func isOfNormalBoot(_ folder: String) -> Bool {
    [".wants", ".requires", ".upholds"].contains(where: folder.hasSuffix)
      && !["initrd", "rescue.", "emergency."].contains(where: folder.hasPrefix)
  }

  private static func sockets(namedIn file: UnitFile) -> [String] {
    let keys: Set<String> = [
      "Wants", "Requires", "Requisite", "BindsTo", "Upholds", "PartOf", "Before", "After", "Sockets",
    ]
    let values = file.sections.flatMap(\.entries).filter { keys.contains($0.key) }.map(\.value)
    return values.flatMap { (try? Words($0))?.words ?? [] }.filter { $0.hasSuffix(".socket") }
  }

  /// A unit's files with its drop-ins; an alias has the name of the unit that it is one of.
  ///
  /// - Returns: nil when it is masked, or there is no such unit.
  private func files(of name: String) -> (name: String, files: [UnitFile])? {
    if name.contains("/") { return nil }
    var found = try? search.find(name)
    var unit = name
    switch found {
    case .file(_, let resolved):
      let target = String(resolved.split(separator: "/").last ?? "")
      // An instance may be a link to its template, and is a unit of its own all the same.
      if target.hasSuffix(".socket"), !target.contains("@.") { unit = target }
    case .masked: return nil
    case .missing, nil: found = Self.template(of: name).flatMap { try? search.find($0) }
    }
    guard case .file(let fragment, _) = found else { return nil }
    let paths = [fragment] + search.dropIns(Self.dropInFolders(of: unit)).paths
    return (unit, paths.map { named(search.read($0)) })
  }

  /// With the guest's name before the path, as machinectl writes it: the host may have a file of the same path.
  private func named(_ file: UnitFile) -> UnitFile {
    var file = file
    file.path = "\(guest.name):\(file.path)"
    for section in file.sections.indices {
      file.sections[section].file = file.path
      for entry in file.sections[section].entries.indices { file.sections[section].entries[entry].file = file.path }
    }
    return file
  }

  /// `foo@.socket` for `foo@x.socket`.
  static func template(of name: String) -> String? {
    guard let at = name.firstIndex(of: "@"), let dot = name.lastIndex(of: "."), at < dot,
      name.index(after: at) != dot
    else { return nil }
    return String(name[...at]) + String(name[dot...])
  }

  /// From the most specific: the unit's own, its template's, those of its name cut at dashes, those of its type.
  static func dropInFolders(of name: String) -> [String] {
    guard let dot = name.lastIndex(of: ".") else { return [name + ".d"] }
    let suffix = String(name[name.index(after: dot)...])
    var folders = [name, template(of: name)].compactMap { $0.map { $0 + ".d" } }
    var stem = name[..<dot]
    stem = stem.firstIndex(of: "@").map { stem[..<$0] } ?? stem
    while let dash = stem.dropLast().lastIndex(of: "-"), dash > stem.startIndex {
      stem = stem[...dash]
      folders.append("\(stem).\(suffix).d")
    }
    return folders + ["\(suffix).d"]
  }
}
