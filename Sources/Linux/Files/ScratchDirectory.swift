import Glibc

/// A directory of root's own below /var/tmp, gone with everything in it at the end of its life.
public final class ScratchDirectory {
  public let path: String

  /// - Throws: `SystemError` of mkdtemp(3).
  public init(named name: String) throws(SystemError) {
    let pattern = "/var/tmp/\(name)-XXXXXX"
    var template = pattern.utf8CString.map { $0 }
    guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp \(pattern)", errno: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { removeTree(path) }
}

private let scratchPrefix = "/var/tmp/dormouse-"

/// A new name for a directory of one start of `guest`, below /var/tmp: what stands there is not in memory.
public func scratchPath(for guest: String) -> String {
  "\(scratchPrefix)\(guest)-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
}

/// Removes a directory that has such a name, with everything in it; another one stays.
public func removeScratch(at path: String) {
  if path.hasPrefix(scratchPrefix), !path.dropFirst(scratchPrefix.count).contains("/") { removeTree(path) }
}

/// Removes what is at `path` and below it; links are not followed. Nobody else may be at work there. What cannot be removed stays.
func removeTree(_ path: String) {
  // unlink(2) tells a directory from the rest: no look beforehand that would be out of date.
  if unlink(path) == 0 || errno == ENOENT { return }
  for name in (try? directoryEntries(path)) ?? [] { removeTree("\(path)/\(name)") }
  rmdir(path)
}
