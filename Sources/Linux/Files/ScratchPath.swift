/// The directory of all scratch directories. It is on disk and not in memory.
public let scratchParent = "/var/tmp"
private let prefix = scratchParent + "/dormouse-"

/// Makes up a path for a directory of one start of `guest`.
public func scratchPath(for guest: String) -> String {
  "\(prefix)\(guest)-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
}

/// Whether a path is one that `scratchPath(for:)` made up. The daemon removes no other directory.
public func isScratch(_ path: String) -> Bool {
  path.hasPrefix(prefix) && !path.dropFirst(prefix.count).contains("/")
}
