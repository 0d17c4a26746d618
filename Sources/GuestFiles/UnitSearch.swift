import Linux
import UnitSyntax

/// Finds a unit's files in several directories, by the rules of systemd.unit(5). The first directory has the highest precedence.
struct UnitSearch<Tree: FileTree> {
  let tree: Tree
  let directories: [String]

  /// Finds the file called `name` in the first directory that has it, be it a mask.
  ///
  /// - Throws: `Diagnostic` when stat(2) fails for that file: a file of lower precedence must not silently take its place.
  func find(_ name: String) throws(Diagnostic) -> Found {
    for directory in directories {
      let path = "\(directory)/\(name)"
      do throws(SystemError) {
        switch try tree.kind(of: path) {
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

  /// What was found for a name.
  enum Found: Equatable {
    case missing, masked
    case file(path: String, resolved: String)
  }

  /// Finds the drop-ins `*.conf` of all `folders` in all directories, in the order of their names.
  ///
  /// Of several with one name the first counts: that of an earlier folder, then that of an earlier directory. A mask hides the others of
  /// its name.
  ///
  /// - Parameter folders: `web.guest.d`. Several where a unit has drop-ins by less specific names, too.
  /// - Returns: the paths, in the order in which they are read, and the problems of others.
  func dropIns(_ folders: [String]) -> (paths: [String], problems: [Diagnostic]) {
    var chosen: [String: String?] = [:]
    var problems: [Diagnostic] = []
    for directory in folders.flatMap({ folder in directories.map { "\($0)/\(folder)" } }) {
      let (names, trouble) = self.names(in: directory, suffix: ".conf")
      problems += trouble
      for name in names where chosen[name] == nil {
        let path = "\(directory)/\(name)"
        do throws(SystemError) {
          switch try tree.kind(of: path) {
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

  /// The names that end in `suffix` in all directories, each once, sorted.
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

  /// Leaves out hidden files.
  private func names(in directory: String, suffix: String) -> (names: [String], problems: [Diagnostic]) {
    do throws(SystemError) {
      let names = try tree.names(in: directory)
      return (names.filter { $0.hasSuffix(suffix) && $0 != suffix && !$0.hasPrefix(".") }, [])
    } catch {
      return ([], [.unreadable(directory, error)])
    }
  }

  /// Reads and parses a file. Its problems are in its diagnostics.
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
