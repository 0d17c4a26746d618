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

/// Whether a directory has such a name: no other is ever removed.
public func isScratch(_ path: String) -> Bool {
  path.hasPrefix(scratchPrefix) && !path.dropFirst(scratchPrefix.count).contains("/")
}
