import Glibc
import GuestSpec
import Linux

/// Numbers the instances of guests, so that no name is used twice.
///
/// The last number of each guest stands in a file of the runtime directory, `NAME.number`. The file is a shortcut, and may be missing or
/// damaged: what is left of earlier instances, in the cgroup tree and in the runtime directory, counts as well.
public struct InstanceNumbers {
  private let runtime: String

  public init(runtime: String) { self.runtime = runtime }

  /// Chooses the number of a guest's next instance: one more than the highest of the guest that is known.
  ///
  /// The number is on file before this returns. A daemon that is killed afterwards leaves a gap, never a number for two instances.
  ///
  /// - Parameters:
  ///   - guest: the guest's name.
  ///   - base: the directory of the cgroup that the guests' cgroups lie in.
  ///   - slice: the directory of the slice's cgroup that has the scopes; nil when there are no scopes.
  /// - Returns: the name of the instance.
  /// - Throws: `SystemError` when a directory cannot be listed, or the file cannot be read or written.
  public func next(for guest: String, in base: String, slice: String? = nil) throws(SystemError) -> InstanceName {
    var found = try GuestCgroup.instances(in: base) + InstanceName.files(in: runtime).keys
    if let slice { found += try InstanceName.scopes(in: slice).keys }
    let known = found.filter { $0.guest == guest }.map(\.number) + [try recorded(guest)].compactMap { $0 }
    // The greatest number has no successor. No daemon gets that far; a file or a cgroup that somebody else made may say it.
    let last = known.filter { $0 < .max }.max() ?? 0
    let name = InstanceName(guest, last + 1)
    try writeFile(path(guest), "\(name.number)\n")
    return name
  }

  private func path(_ guest: String) -> String { "\(runtime)/\(guest).number" }

  /// - Returns: nil when there is no file, or one that holds no number.
  private func recorded(_ guest: String) throws(SystemError) -> UInt32? {
    do throws(SystemError) {
      let text = String(decoding: try readFile(path(guest), limit: 16), as: UTF8.self)
      return UInt32(text.prefix { $0 != "\n" })
    } catch {
      // The second: more than any number of ours takes. The last: no file at all.
      if [ENOENT, EFBIG, EISDIR].contains(error.errno) { return nil }
      throw error
    }
  }
}
