import Linux
import Planning

/// The ranges of ids that running guests have. Nobody else who keeps to systemd-nspawn's lock files gets one of them meanwhile.
struct UserRanges {
  /// Where systemd-nspawn keeps its locks, one file for each range, named by its first id.
  var directory = "/run/systemd/nspawn-uid"

  /// A range that is one guest's for as long as this lives.
  final class Claim {
    let base: UInt32
    private let locks: [LockFile]

    fileprivate init(base: UInt32, _ locks: [LockFile]) {
      self.base = base
      self.locks = locks
    }
  }

  /// The first of `candidates` that nobody has.
  ///
  /// - Returns: nil when all are somebody's.
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

  /// Keeps others from the ranges that `map` touches, as far as they are free: a guest that was given its ids gets them.
  func note(_ map: IDMap) -> Claim {
    var locks: [LockFile] = []
    let end = UInt64(map.users.outer) + UInt64(map.users.count)
    var base = UInt64(map.users.outer / UserRange.size * UserRange.size)
    // Not the host's own, and not more than anybody can mean by a guest.
    while base > 0, base < end, locks.count < 16 {
      guard let lock = try? LockFile(locking: "\(directory)/\(base)") else { break }
      locks.append(lock)
      base += UInt64(UserRange.size)
    }
    return Claim(base: map.users.outer, locks)
  }

  /// As `note`, for the ids of a process that runs already; nil when they are the host's own (user_namespaces(7)).
  ///
  /// - Throws: `SystemError`; `ENOENT` or `ESRCH` when it has ended.
  func note(usersOf process: Int32) throws(SystemError) -> Claim? {
    let text = try readFile("/proc/\(process)/uid_map", limit: 64 << 10)
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
    let row = lines.first?.split(separator: " ").compactMap { UInt32($0) } ?? []
    guard row.count == 3, row[1] != 0 else { return nil }
    return note(IDMap(base: row[1], count: row[2]))
  }

  private static func taken() -> [ClosedRange<UInt64>] {
    func text(_ path: String) -> String {
      String(decoding: (try? readFile(path, limit: 4 << 20)) ?? [], as: UTF8.self)
    }
    return UserRange.taken(
      accounts: [text("/etc/passwd"), text("/etc/group")], subordinate: [text("/etc/subuid"), text("/etc/subgid")])
  }
}
