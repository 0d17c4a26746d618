import GuestSpec
import Linux
import UnitSyntax

/// The guest files of this host: where they lie, and how they become guests.
///
/// The rules are systemd.unit(5)'s: of two files of one name the directory that comes first counts, an empty file or a
/// link to /dev/null masks the name, the drop-ins `NAME.guest.d/*.conf` of all directories are read in the order of
/// their names. `NAME.nspawn` is read beneath, from the first directory that has it.
package struct GuestFiles: Sendable {
  /// Where guest files lie when `--config` does not say; the first counts most.
  package static let defaultSearchPath = [
    "/etc/dormouse", "/run/dormouse", "/usr/local/lib/dormouse", "/usr/lib/dormouse",
  ]
  /// systemd.nspawn(5).
  package static let defaultNspawnPath = ["/etc/systemd/nspawn", "/run/systemd/nspawn", "/usr/lib/systemd/nspawn"]

  /// The directories, absolute, the first counts most.
  package let searchPath: [String]
  private let nspawnPath: [String]
  /// A directory that somebody named has to be there.
  private let isExplicit: Bool

  /// - Parameter searchPath: the directories of `--config`, which replace the default ones; `.nspawn` files then lie
  ///   beside the guest files.
  package init(searchPath: [String]? = nil) {
    self.searchPath = (searchPath ?? Self.defaultSearchPath).map(Self.absolute)
    nspawnPath = searchPath == nil ? Self.defaultNspawnPath : self.searchPath
    isExplicit = searchPath != nil
  }

  /// Every guest there is; one wrong file does not hide the others.
  package func loadAll() -> LoadedGuests {
    var all = LoadedGuests()
    if isExplicit { all.diagnostics += searchPath.compactMap(Self.problem(ofDirectory:)) }
    let (files, problems) = guestSearch.names(suffix: ".guest")
    all.diagnostics += problems
    let host = Specifiers.ofThisHost()
    for file in files {
      let name = String(file.dropLast(".guest".count))
      switch load(name, host) {
      case .missing: break
      case .masked: all.masked.append(name)
      case .guest(let guest): all.guests.append(guest)
      }
    }
    all.addConflicts()
    return all
  }

  /// One guest, by itself: what it has in common with others is seen by `loadAll` only.
  ///
  /// - Returns: nil when there is no file of that name, or it is masked.
  package func load(_ name: String) -> LoadedGuest? {
    guard case .guest(let guest) = load(name, Specifiers.ofThisHost()) else { return nil }
    return guest
  }

  enum Loading {
    case missing, masked
    case guest(LoadedGuest)
  }

  func load(_ name: String, _ host: [Character: String]) -> Loading {
    // A name comes from outside too, and may not lead out of the directories.
    if name.isEmpty || name.contains("/") || name.utf8.contains(0) { return .missing }
    let fragment: String
    do throws(Diagnostic) {
      switch try guestSearch.find("\(name).guest") {
      case .missing: return .missing
      case .masked: return .masked
      case .file(let path, _): fragment = path
      }
    } catch {
      return .guest(LoadedGuest(guest: Guest(name: name), diagnostics: [error], listeners: [], files: [error.file]))
    }
    return .guest(assemble(name, fragment, host))
  }

  private func assemble(_ name: String, _ fragment: String, _ host: [Character: String]) -> LoadedGuest {
    var files: [UnitFile] = []
    do throws(Diagnostic) {
      if case .file(let path, _) = try nspawnSearch.find("\(name).nspawn") { files.append(nspawnSearch.read(path)) }
    } catch {
      files.append(UnitFile(path: error.file, diagnostics: [error]))
    }
    files.append(guestSearch.read(fragment))
    let (dropIns, problems) = guestSearch.dropIns(["\(name).guest.d"])
    files += problems.map { UnitFile(path: $0.file, diagnostics: [$0]) }
    files += dropIns.map(guestSearch.read)
    return LoadedGuest(name, files, Specifiers(fragmentPath: fragment, host: host))
  }

  private var guestSearch: UnitSearch<HostTree> { UnitSearch(tree: HostTree(), directories: searchPath) }
  private var nspawnSearch: UnitSearch<HostTree> { UnitSearch(tree: HostTree(), directories: nspawnPath) }

  /// Paths of guest files must be the same after a change of directory, and `%Y` is one.
  static func absolute(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    let base = (try? readLink("/proc/self/cwd")) ?? ""
    return path == "." ? base : "\(base)/\(path)"
  }

  private static func problem(ofDirectory path: String) -> Diagnostic? {
    do throws(SystemError) {
      let status = try insisting { () throws(SystemError) in try FileStatus(path, followingLinks: true) }
      if status.kind == .directory { return nil }
      return Diagnostic(file: path, .error, "is not a directory; name one that has guest files in it")
    } catch {
      return Diagnostic(file: path, .error, "cannot be read (\(error)); name a directory that has guest files in it")
    }
  }
}

extension LoadedGuest {
  init(_ name: String, _ files: [UnitFile], _ specifiers: Specifiers) {
    let reading = Guest.read(name: name, from: files, specifiers: specifiers)
    self.init(
      guest: reading.guest, diagnostics: reading.diagnostics, listeners: reading.listeners, files: files.map(\.path))
  }
}
