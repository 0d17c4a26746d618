import Glibc
import Linux

/// The note, one file a guest in the runtime directory, that says in which cgroup it runs: a later daemon, itself perhaps in
/// another cgroup, finds by it what a killed one left behind.
struct InstanceRecord {
  private let directory: String
  private static let suffix = ".cgroup"

  init(runtime: String) { directory = runtime }

  /// - Throws: `SystemError` when the note cannot be written; a guest must not be started without it.
  func write(_ guest: String, base: String) throws(SystemError) {
    try writeFile(path(of: guest), base + "\n")
  }

  func remove(_ guest: String) { removeFile(path(of: guest)) }

  /// The guests that have a note, with the cgroup that holds theirs; nil when the note does not say.
  ///
  /// - Throws: `SystemError` when they cannot be read.
  func all() throws(SystemError) -> [(guest: String, base: String?)] {
    var found: [(guest: String, base: String?)] = []
    for name in try directoryEntries(directory).sorted() where name.hasSuffix(Self.suffix) {
      let guest = String(name.dropLast(Self.suffix.count))
      found.append((guest, try base(of: guest)))
    }
    return found
  }

  private func base(of guest: String) throws(SystemError) -> String? {
    do throws(SystemError) {
      let text = String(decoding: try readFile(path(of: guest), limit: 4096), as: UTF8.self)
      return text.split(separator: "\n").first.map(String.init)
    } catch {
      // None of ours is so long, or a directory.
      if error.errno == EFBIG || error.errno == EISDIR { return nil }
      throw error
    }
  }

  private func path(of guest: String) -> String { "\(directory)/\(guest)\(Self.suffix)" }
}
