import GuestSpec
import Linux
import UnitSyntax

/// The guest files of this host: finds them, and reads each guest from them.
///
/// The rules are those of systemd.unit(5). Of two files with one name, the one in the earlier directory counts. An empty file or a link
/// to /dev/null masks the name. The drop-ins `NAME.guest.d/*.conf` of all directories are read in the order of their names. `NAME.nspawn`
/// is read before all of them, from the first directory that has it.
package struct GuestFiles: Sendable {
  /// The directories of guest files without `--config`, highest precedence first.
  package static let defaultSearchPath = [
    "/etc/dormouse", "/run/dormouse", "/usr/local/lib/dormouse", "/usr/lib/dormouse",
  ]
  /// The directories of systemd.nspawn(5), highest precedence first.
  package static let defaultNspawnPath = ["/etc/systemd/nspawn", "/run/systemd/nspawn", "/usr/lib/systemd/nspawn"]

  /// The directories of guest files, absolute, highest precedence first.
  package let searchPath: [String]
  private let nspawnPath: [String]
  /// Whether somebody named the directories. It is a problem then if one does not exist.
  private let isExplicit: Bool

  /// - Parameter searchPath: the directories of `--config`, which replace the default ones. `.nspawn` files are then looked for in the same
  ///   directories.
  package init(searchPath: [String]? = nil) {
    self.searchPath = (searchPath ?? Self.defaultSearchPath).map(Self.absolute)
    nspawnPath = searchPath == nil ? Self.defaultNspawnPath : self.searchPath
    isExplicit = searchPath != nil
  }

  /// Reads every guest. A problem with one does not hide the others.
  package func loadAll() -> LoadedGuests {
    var all = LoadedGuests()
    if isExplicit { all.diagnostics += searchPath.compactMap(Self.problem(ofDirectory:)) }
    let (files, problems) = guestSearch.names(suffix: ".guest")
    all.diagnostics += problems
    let host = Specifiers.ofThisHost()
    for file in files {
      let name = String(file.dropLast(".guest".count))
      if let guest = load(name, host) { all.guests.append(guest) }
    }
    all.addConflicts()
    return all
  }

  /// - Returns: nil when the guest is masked.
  private func load(_ name: String, _ host: [Character: String]) -> LoadedGuest? {
    let fragment: String
    do throws(Diagnostic) {
      switch try guestSearch.find("\(name).guest") {
      case .missing, .masked: return nil
      case .file(let path, _): fragment = path
      }
    } catch {
      return LoadedGuest(guest: Guest(name: name), diagnostics: [error], listeners: [], files: [error.file])
    }
    return assemble(name, fragment, host)
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

  /// Makes a path absolute. The paths that the daemon keeps must stay valid after a change of directory, and `%Y` is one of them.
  package static func absolute(_ path: String) -> String {
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
