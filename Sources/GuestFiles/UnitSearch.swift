import Linux
import UnitSyntax

/// The rules of systemd.unit(5) for finding a unit's files in several directories, first the one of highest precedence.
struct UnitSearch<Tree: FileTree> {
  let tree: Tree
  let directories: [String]

  /// The file called `name` in the first directory that has it; that one may be a mask.
  ///
  /// - Throws: `Diagnostic` when that file cannot be looked at: one of lower precedence must not quietly take its
  ///   place.
  func find(_ name: String) throws(Diagnostic) -> Found {
    for directory in directories {
      let path = "\(directory)/\(name)"
      do throws(SystemError) {
        switch try tree.look(at: path) {
        case .missing: continue
        case .masked: return .masked
        case .file(let resolved): return .file(path: path, resolved: resolved)
        }
      } catch {
        throw .unreadable(path, error)
      }
    }
    return .missing
  }

  enum Found: Equatable {
    case missing, masked
    case file(path: String, resolved: String)
  }

  /// The drop-ins `*.conf` of all `folders` in all directories, in the order of their names. Of one name the first
  /// counts: an earlier folder before a later one, then an earlier directory; a masked one takes the others of its
  /// name away.
  ///
  /// - Parameter folders: `web.guest.d`; several where a unit has drop-ins of less specific names too.
  /// - Returns: paths in the order in which they are read, and what could not be looked at.
  func dropIns(_ folders: [String]) -> (paths: [String], problems: [Diagnostic]) {
    var chosen: [String: String?] = [:]
    var problems: [Diagnostic] = []
    for directory in folders.flatMap({ folder in directories.map { "\($0)/\(folder)" } }) {
      let (names, trouble) = self.names(in: directory, suffix: ".conf")
      problems += trouble
      for name in names where chosen[name] == nil {
        let path = "\(directory)/\(name)"
        do throws(SystemError) {
          switch try tree.look(at: path) {
          case .missing: break
          case .masked: chosen.updateValue(nil, forKey: name)
          case .file: chosen[name] = path
          }
        } catch {
          problems.append(.unreadable(path, error))
          chosen.updateValue(nil, forKey: name)
        }
      }
    }
    return (chosen.sorted { $0.key < $1.key }.compactMap(\.value), problems)
  }

  /// The names that end in `suffix` in all directories, each once and in order.
  func names(suffix: String) -> (names: [String], problems: [Diagnostic]) {
    var all: Set<String> = []
    var problems: [Diagnostic] = []
    for directory in directories {
      let (names, trouble) = names(in: directory, suffix: suffix)
      all.formUnion(names)
      problems += trouble
    }
    return (all.sorted(), problems)
  }

  /// Without hidden files and an editor's backups.
  private func names(in directory: String, suffix: String) -> (names: [String], problems: [Diagnostic]) {
    do throws(SystemError) {
      let names = try tree.names(in: directory)
      return (names.filter { $0.hasSuffix(suffix) && $0 != suffix && !$0.hasPrefix(".") }, [])
    } catch {
      return ([], [.unreadable(directory, error)])
    }
  }

  /// Reads and parses; what goes wrong is in the file's diagnostics.
  func read(_ path: String) -> UnitFile {
    do throws(SystemError) {
      return UnitFile(path: path, bytes: try tree.read(path))
    } catch {
      return UnitFile(path: path, diagnostics: [.unreadable(path, error)])
    }
  }
}

extension Diagnostic: Error {}

extension Diagnostic {
  static func unreadable(_ path: String, _ error: SystemError) -> Diagnostic {
    Diagnostic(file: path, .error, "cannot be read (\(error)); make it a readable file, or take it away")
  }
}
