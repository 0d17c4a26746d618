import GuestSpec
import Linux
import UnitSyntax

extension GuestFiles {
  /// Finds every problem of the files that `dormouse check` is given.
  ///
  /// A path is one of these: `dormoused.conf` or a drop-in of it; `NAME.guest`, which is read with the `NAME.nspawn` and the
  /// `NAME.guest.d/*.conf` beside it; `NAME.nspawn` alone; a drop-in `NAME.guest.d/*.conf`, which is read as part of its guest; or a
  /// directory of guest files. Guests that are checked together must not ask for the same addresses.
  ///
  /// What the files ask for is compared with this host and with the guests' roots, see `GuestCheck`.
  ///
  /// - Parameters:
  ///   - paths: the files and directories.
  ///   - hostUnits: the directories of this host's units, highest precedence first.
  /// - Returns: each problem once.
  package static func check(
    paths: [String], hostUnits: [String] = GuestUnits.directories
  ) -> [Diagnostic] {
    let host = Specifiers.ofThisHost()
    var all = LoadedGuests()
    for path in paths {
      do throws(SystemError) {
        if try FileStatus(path, followingLinks: true).kind == .directory, !path.hasSuffix(".d") {
          let files = GuestFiles(searchPath: [path])
          let loaded = files.loadAll()
          all.diagnostics += loaded.diagnostics + files.loadDaemon().diagnostics
          all.guests += loaded.guests
        } else if let directory = directory(ofDaemonFile: path) {
          all.diagnostics += GuestFiles(searchPath: [directory]).loadDaemon().diagnostics
        } else if let guest = try guest(at: path, host), !all.guests.contains(where: { $0.files == guest.files }) {
          all.guests.append(guest)
        }
      } catch {
        all.diagnostics.append(Diagnostic(file: path, .error, "cannot be read (\(error)); name a file that is there"))
      }
    }
    all.addConflicts()
    var told: Set<Diagnostic> = []
    let found = all.diagnostics + all.guests.flatMap(\.diagnostics) + all.problems(hostUnits: hostUnits)
    return found.filter { told.insert($0).inserted }
  }

  /// Reads the guest that a file is part of. Nil when the file masks its guest.
  private static func guest(at path: String, _ host: [Character: String]) throws(SystemError) -> LoadedGuest? {
    let (directory, file) = split(path)
    let tree = HostTree()
    if file.hasSuffix(".guest") {
      if try tree.kind(of: path) == .masked { return nil }
      return beside(directory, String(file.dropLast(".guest".count)), host)
    }
    if file.hasSuffix(".nspawn") {
      let name = String(file.dropLast(".nspawn".count))
      let search = UnitSearch(tree: tree, directories: [])
      return LoadedGuest(name, [search.read(path)], Specifiers(fragmentPath: absolute(path), host: host))
    }
    let (above, folder) = split(directory)
    if file.hasSuffix(".conf"), folder.hasSuffix(".guest.d") {
      if try tree.kind(of: path) == .masked { return nil }
      return beside(above, String(folder.dropLast(".guest.d".count)), host)
    }
    let rule = "not a guest file by its name; a guest is NAME.guest, a drop-in NAME.guest.d/ANY.conf"
    return LoadedGuest(
      guest: Guest(name: file), diagnostics: [Diagnostic(file: path, .error, rule)], listeners: [], files: [path])
  }

  /// Reads a guest from one directory alone. Its `.guest` file may lie elsewhere; then the drop-ins are read without it.
  private static func beside(_ directory: String, _ name: String, _ host: [Character: String]) -> LoadedGuest {
    let search = UnitSearch(tree: HostTree(), directories: [directory.isEmpty ? "." : directory])
    var files: [UnitFile] = []
    for suffix in [".nspawn", ".guest"] {
      do throws(Diagnostic) {
        if case .file(let path, _) = try search.find(name + suffix) { files.append(search.read(path.tidy)) }
      } catch {
        files.append(UnitFile(path: error.file.tidy, diagnostics: [error]))
      }
    }
    let (dropIns, problems) = search.dropIns(["\(name).guest.d"])
    files += problems.map { UnitFile(path: $0.file, diagnostics: [$0]) } + dropIns.map { search.read($0.tidy) }
    let fragment = absolute(directory.isEmpty ? "\(name).guest" : "\(directory)/\(name).guest")
    return LoadedGuest(name, files, Specifiers(fragmentPath: fragment, host: host))
  }

  private static func split(_ path: String) -> (directory: String, file: String) {
    guard let slash = path.lastIndex(of: "/") else { return ("", path) }
    return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
  }
}

extension String {
  /// The path as it was typed, without the `./` that a search in the working directory adds.
  fileprivate var tidy: String { hasPrefix("./") ? String(dropFirst(2)) : self }
}
