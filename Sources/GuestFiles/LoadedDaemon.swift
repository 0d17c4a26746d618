import GuestSpec
import UnitSyntax

/// What `dormoused.conf` and its drop-ins set, and their problems.
package struct LoadedDaemon: Equatable, Sendable {
  package var settings: DaemonSettings
  package var diagnostics: [Diagnostic]

  package var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
}

extension GuestFiles {
  static let daemonFile = "dormoused.conf"

  /// Reads `dormoused.conf` from the first directory that has it, and the drop-ins `dormoused.conf.d/*.conf` of all directories.
  package func loadDaemon() -> LoadedDaemon {
    let search = UnitSearch(tree: HostTree(), directories: searchPath)
    var files: [UnitFile] = []
    do throws(Diagnostic) {
      if case .file(let path, _) = try search.find(Self.daemonFile) { files.append(search.read(path)) }
    } catch {
      files.append(UnitFile(path: error.file, diagnostics: [error]))
    }
    let (dropIns, problems) = search.dropIns(["\(Self.daemonFile).d"])
    files += problems.map { UnitFile(path: $0.file, diagnostics: [$0]) } + dropIns.map(search.read)
    let reading = DaemonSettings.read(from: files)
    return LoadedDaemon(settings: reading.settings, diagnostics: reading.diagnostics)
  }

  /// The directory that has `path` as its `dormoused.conf` or as a drop-in of it; nil when `path` is neither.
  static func directory(ofDaemonFile path: String) -> String? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let isDropIn = parts.count > 1 && parts[parts.count - 2] == "\(daemonFile).d" && path.hasSuffix(".conf")
    guard parts.last == daemonFile || isDropIn else { return nil }
    let above = parts.dropLast(isDropIn ? 2 : 1).joined(separator: "/")
    return above.isEmpty ? path.hasPrefix("/") ? "/" : "." : above
  }
}
