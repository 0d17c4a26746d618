import Glibc
import GuestSpec
import Launching
import Linux

/// The record of an instance: a file in the runtime directory. Its first line is the path of the cgroup above the instance's own. A later
/// daemon, which may be in another cgroup, finds by it what a killed one left. The second line says which root the instance has locked: a
/// lock ends with the daemon that holds it, so the later daemon takes it again.
struct InstanceRecord {
  private let runtime: String

  init(runtime: String) { self.runtime = runtime }

  /// - Throws: `SystemError` when the record cannot be written; a guest must not be started without it.
  func write(_ name: InstanceName, base: String, _ root: RootLocks.Claim?) throws(SystemError) {
    let lock = root.map { ($0.isShared ? Self.shared : Self.exclusive) + $0.root + "\n" } ?? ""
    try writeFile(name.path(of: .record, in: runtime), base + "\n" + lock)
  }

  private static let shared = "shared "
  private static let exclusive = "exclusive "

  func remove(_ name: InstanceName) { removeFile(name.path(of: .record, in: runtime)) }

  /// - Returns: the path in the record of `name`; nil when the record is damaged.
  /// - Throws: `SystemError` when it cannot be read.
  func base(of name: InstanceName) throws(SystemError) -> String? { try lines(of: name).first }

  /// - Returns: the root that the instance had locked, and whether it shared the lock; nil when the record does not say.
  func root(of name: InstanceName) -> (path: String, isShared: Bool)? {
    guard let lines = try? lines(of: name), lines.count > 1 else { return nil }
    for (word, isShared) in [(Self.shared, true), (Self.exclusive, false)] where lines[1].hasPrefix(word) {
      return (String(lines[1].dropFirst(word.count)), isShared)
    }
    return nil
  }

  private func lines(of name: InstanceName) throws(SystemError) -> [String] {
    do throws(SystemError) {
      let text = String(decoding: try readFile(name.path(of: .record, in: runtime), limit: 16384), as: UTF8.self)
      return text.split(separator: "\n").map(String.init)
    } catch {
      // EFBIG, EISDIR: a daemon did not write this.
      if error.errno == EFBIG || error.errno == EISDIR { return [] }
      throw error
    }
  }
}
