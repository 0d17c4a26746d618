import GuestSpec
import Linux
import UnitSyntax

/// The units of a guest whose PID 1 is systemd, found in its root as that systemd will find them.
package struct GuestUnits {
  /// The directories of systemd.unit(5)'s load path that can have files in them before the guest has started.
  package static let directories = [
    "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
    "/lib/systemd/system",
  ]
  /// How many units are read: a guest can put any number of them into its root.
  private static let unitLimit = 1024

  private let guest: Guest
  private let tree: GuestTree
  private let search: UnitSearch<GuestTree>

  /// Nil when the guest's PID 1 is not systemd: it has a command line of its own, or another init.
  init?(_ guest: Guest) {
    guard guest.exec.boot else { return nil }
    let tree = GuestTree(guest)
    let programs = ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"]
    guard programs.contains(where: { if case .file = try? tree.kind(of: $0) { true } else { false } }) else {
      return nil
    }
    self.guest = guest
    self.tree = tree
    search = UnitSearch(tree: tree, directories: Self.directories(in: tree))
  }

  /// Leaves out directories that are links to an earlier one: with a merged /usr, /lib is /usr/lib.
  private static func directories(in tree: GuestTree) -> [String] {
    var seen: Set<String> = []
    return directories.filter { seen.insert((try? tree.canonical($0)) ?? $0).inserted }
  }

  /// Which limit of a search was exceeded, in words; nil when all units that were asked for are known.
  var excess: String? { tree.excess }

  /// The enabled sockets, each once, sorted by name: those with a link in the `.wants`, `.requires` or `.upholds` directory of some unit.
  func enabledSockets() -> [SocketUnit] { load(wantedUnits { $0.hasSuffix(".socket") }) }

  /// The enabled sockets, and those that another enabled unit names in a dependency: systemd loads these, too.
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

  /// The names of the links below units that a normal boot loads.
  private func wantedUnits(where isInteresting: (String) -> Bool) -> Set<String> {
    var wanted: Set<String> = []
    for folder in search.names(suffix: "s").names where Self.isOfNormalBoot(folder) {
      let links = UnitSearch(tree: tree, directories: search.directories.map { "\($0)/\(folder)" })
      for name in links.names(suffix: "").names where isInteresting(name) {
        // The name of the link counts, not its target. A mask in its place removes the dependency.
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

  private func files(of name: String) -> (name: String, files: [UnitFile])? {
    search.unit(name).map { name, files in (name, files.map(named)) }
  }

  /// Puts the guest's name before the path, as machinectl does: the host may have a file of the same path.
  private func named(_ file: UnitFile) -> UnitFile {
    var file = file
    file.path = "\(guest.name):\(file.path)"
    for section in file.sections.indices {
      file.sections[section].file = file.path
      for entry in file.sections[section].entries.indices { file.sections[section].entries[entry].file = file.path }
    }
    return file
  }
}
