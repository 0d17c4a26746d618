import Glibc
import GuestSpec
import Launching
import Linux

/// The record of an instance: a file in the runtime directory with the path of the cgroup above the instance's own. A later daemon, which may
/// be in another cgroup, finds by it what a killed one left.
struct InstanceRecord {
  private let runtime: String

  init(runtime: String) { self.runtime = runtime }

  /// - Throws: `SystemError` when the record cannot be written; a guest must not be started without it.
  func write(_ name: InstanceName, base: String) throws(SystemError) {
    try writeFile(name.path(of: .record, in: runtime), base + "\n")
  }

  func remove(_ name: InstanceName) { removeFile(name.path(of: .record, in: runtime)) }

  /// - Returns: the path in the record of `name`; nil when the record is damaged.
  /// - Throws: `SystemError` when it cannot be read.
  func base(of name: InstanceName) throws(SystemError) -> String? {
    do throws(SystemError) {
      let text = String(decoding: try readFile(name.path(of: .record, in: runtime), limit: 4096), as: UTF8.self)
      return text.split(separator: "\n").first.map(String.init)
    } catch {
      // EFBIG, EISDIR: a daemon did not write this.
      if error.errno == EFBIG || error.errno == EISDIR { return nil }
      throw error
    }
  }
}
