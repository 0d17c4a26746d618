import Glibc
import GuestSpec
import Linux

/// The credentials of a guest, as systemd.exec(5) defines `SetCredential=` and `LoadCredential=`, and the file system that holds them.
/// Their bytes are in this value and in that file system only: in no plan, no log message and no status.
struct Credentials {
  /// By ID.
  private(set) var contents: [String: Secret] = [:]
  private var size = 0
  /// How many files and directories were found in directories.
  private var entries = 0

  /// The directories to search for credentials without a path, in the order of systemd.exec(5).
  static func searchPath(_ environment: [String: String]) -> [String] {
    let own = environment["CREDENTIALS_DIRECTORY"].map { [$0] } ?? []
    return own + ["/etc/credstore", "/run/credstore", "/usr/local/lib/credstore", "/usr/lib/credstore"]
  }

  /// Reads the credentials of a guest.
  ///
  /// - Throws: `CredentialError` when a file whose path is given is missing, when a file cannot be read, and when there are too many bytes or files.
  init(_ wanted: [Credential], searchPath: [String]) throws(CredentialError) {
    var set: [String: Secret] = [:]
    for case let (id, .value(secret)) in wanted.map({ ($0.id, $0.source) }) { set[id] = secret }
    // The last setting of an ID wins.
    var loaded: Set<String> = []
    for credential in wanted.reversed() where !loaded.contains(credential.id) {
      do throws(SystemError) {
        switch credential.source {
        case .value: continue
        case .path(let path): try load(credential.id, path, orElse: set[credential.id])
        case .store(let name): try find(name, in: searchPath, as: credential.id)
        }
      } catch {
        throw CredentialError(id: credential.id, error: error)
      }
      loaded.insert(credential.id)
    }
    // SetCredential= is the fallback for an ID that LoadCredential= finds no file for.
    for (id, secret) in set.sorted(by: { $0.key < $1.key }) where contents[id] == nil {
      do throws(SystemError) { try add(id, secret.bytes) } catch { throw CredentialError(id: id, error: error) }
    }
  }

  private mutating func find(_ name: String, in searchPath: [String], as id: String) throws(SystemError) {
    for directory in searchPath {
      do throws(SystemError) {
        return try add(id, try readSafely("\(directory)/\(name)", limit: Credential.sizeLimit))
      } catch {
        if error.errno != ENOENT { throw error }
      }
    }
  }

  private mutating func load(_ id: String, _ path: String, orElse fallback: Secret?) throws(SystemError) {
    do throws(SystemError) {
      if try SafePath(path).kind == .directory { return try loadDirectory(id, path) }
      try add(id, try readSafely(path, limit: Credential.sizeLimit))
    } catch {
      if error.errno != ENOENT || fallback == nil { throw error }
    }
  }

  /// Reads each file below `path` as a credential. Its ID is the directory's ID and the names on the path, joined by `_`.
  private mutating func loadDirectory(_ id: String, _ path: String) throws(SystemError) {
    var names: [String] = []
    try forEachEntry(of: path) { name throws(SystemError) in
      entries += 1
      if entries > Credential.entryLimit { throw SystemError("list \(path)", errno: E2BIG) }
      names.append(name)
      return true
    }
    for name in names.sorted() {
      let (file, fileID) = ("\(path)/\(name)", "\(id)_\(name)")
      switch try FileStatus(file, followingLinks: false).kind {
      case .directory: try loadDirectory(fileID, file)
      case .regular where Credential.isValid(id: fileID):
        if contents[fileID] == nil { try add(fileID, try readSafely(file, limit: Credential.sizeLimit)) }
      case .regular, .symbolicLink, .characterDevice, .blockDevice, .fifo, .socket: continue
      }
    }
  }

  private mutating func add(_ id: String, _ bytes: [UInt8]) throws(SystemError) {
    size += bytes.count
    if size > Credential.sizeLimit { throw SystemError("read the credential \(id)", errno: EFBIG) }
    contents[id] = Secret(bytes)
  }

  /// Makes a read-only ramfs with a file for each credential. A ramfs is never swapped out.
  ///
  /// - Throws: `SystemError`.
  func mount(owner: UInt32) throws(SystemError) -> OwnedFD {
    let system = try NewFileSystem(of: "ramfs", attributes: [.noSetUID, .noDevices, .noExecute, .noSymlinkFollow])
    for (id, secret) in contents.sorted(by: { $0.key < $1.key }) {
      try writeNewFile(id, in: system.mount, secret.bytes, mode: 0o400, owner: owner)
    }
    try give(system.mount, to: owner, mode: 0o500)
    try system.seal()
    return system.takeMount()
  }
}

/// Why a guest's credentials cannot be read. Names the credential, never its value.
public struct CredentialError: Error, Equatable, CustomStringConvertible {
  /// The ID of the credential that failed.
  public let id: String
  /// Why. It contains nothing of the value.
  public let error: SystemError

  public var description: String {
    switch error.errno {
    case EFBIG: "credential \(id): all credentials together take more than 1 MiB"
    case E2BIG:
      "credential \(id): the directories of LoadCredential= together have more than \(Credential.entryLimit) files; "
        + "load single files, or a directory with fewer"
    case _: "credential \(id): \(error)"
    }
  }
}
