import Glibc
import GuestSpec
import Launching
import Linux

/// The record of an instance, one file in the runtime directory, that says which cgroup the instance's lies in. By it a later daemon, itself
/// perhaps in another cgroup, finds what a killed one left behind.
struct InstanceRecord {
  private let runtime: String

  init(runtime: String) { self.runtime = runtime }

  /// - Throws: `SystemError` when the record cannot be written; a guest must not be started without it.
  func write(_ name: InstanceName, base: String) throws(SystemError) {
    try writeFile(name.path(of: .record, in: runtime), base + "\n")
  }

  func remove(_ name: InstanceName) { removeFile(name.path(of: .record, in: runtime)) }

  /// - Returns: the cgroup that the record of `name` says; nil when the record is damaged.
  /// - Throws: `SystemError` when it cannot be read.
  func base(of name: InstanceName) throws(SystemError) -> String? {
    do throws(SystemError) {
      let text = String(decoding: try readFile(name.path(of: .record, in: runtime), limit: 4096), as: UTF8.self)
      return text.split(separator: "\n").first.map(String.init)
    } catch {
      // No record that a daemon wrote is so long, or a directory.
      if error.errno == EFBIG || error.errno == EISDIR { return nil }
      throw error
    }
  }
}
