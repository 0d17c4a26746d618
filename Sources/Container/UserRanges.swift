import Linux
import Planning

/// The ranges of user IDs that guests use while they run. Each is locked as systemd-nspawn locks its ranges, so that no program that respects
/// these locks uses one meanwhile.
struct UserRanges {
  /// Where systemd-nspawn keeps its locks: one file for each range, named after the first ID.
  var directory = "/run/systemd/nspawn-uid"

  /// A range that belongs to one guest for as long as this object lives.
  final class Claim {
    let base: UInt32
    private let locks: [LockFile]

    fileprivate init(base: UInt32, _ locks: [LockFile]) {
      self.base = base
      self.locks = locks
    }
  }

  /// Claims the first of `candidates` that is free.
  ///
  /// - Returns: nil when none is.
  /// - Throws: `SystemError` when no lock can be made.
  func claim(firstOf candidates: [UInt32]) throws(SystemError) -> Claim? {
    try makeDirectories(directory)
    let taken = Self.taken()
    for base in candidates {
      let range = UInt64(base)...UInt64(base) + UInt64(UserRange.size) - 1
      if taken.contains(where: { $0.overlaps(range) }) { continue }
      if let lock = try LockFile(locking: "\(directory)/\(base)") { return Claim(base: base, [lock]) }
    }
    return nil
  }

  /// Claims the IDs of `map`, and locks the ranges that they touch as far as those are free: a guest whose file names its IDs gets them
  /// even if another program uses them.
  func claim(_ map: IDMap) -> Claim {
    var locks: [LockFile] = []
    let end = UInt64(map.users.outer) + UInt64(map.users.count)
    var base = UInt64(map.users.outer / UserRange.size * UserRange.size)
    // Range 0 is the host's own. The limit bounds the work for a map of nearly all IDs.
    while base > 0, base < end, locks.count < 16 {
      guard let lock = try? LockFile(locking: "\(directory)/\(base)") else { break }
      locks.append(lock)
      base += UInt64(UserRange.size)
    }
    return Claim(base: map.users.outer, locks)
  }

  /// Claims the IDs of a process that runs already, an orphan's PID 1.
  ///
  /// - Returns: nil when they are the host's own (user_namespaces(7)).
  /// - Throws: `SystemError`; `ENOENT` or `ESRCH` when it has ended.
  func claim(usersOf process: Int32) throws(SystemError) -> Claim? {
    let text = try readFile("/proc/\(process)/uid_map", limit: 64 << 10)
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
    let row = lines.first?.split(separator: " ").compactMap { UInt32($0) } ?? []
    guard row.count == 3, row[1] != 0 else { return nil }
    return claim(IDMap(base: row[1], count: row[2]))
  }

  private static func taken() -> [ClosedRange<UInt64>] {
    func text(_ path: String) -> String {
      String(decoding: (try? readFile(path, limit: 4 << 20)) ?? [], as: UTF8.self)
    }
    return UserRange.taken(
      accounts: [text("/etc/passwd"), text("/etc/group")], subordinate: [text("/etc/subuid"), text("/etc/subgid")])
  }
}
