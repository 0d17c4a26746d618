private let prefix = "/var/tmp/dormouse-"

/// A new name for a directory of one start of `guest`, below /var/tmp: what stands there is not in memory.
public func scratchPath(for guest: String) -> String {
  "\(prefix)\(guest)-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
}

/// Whether a directory has such a name: no other is ever removed.
public func isScratch(_ path: String) -> Bool {
  path.hasPrefix(prefix) && !path.dropFirst(prefix.count).contains("/")
}
