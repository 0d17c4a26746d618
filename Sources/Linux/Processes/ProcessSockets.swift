import CLinux
import Glibc

/// A search for some sockets among the descriptors of processes, as /proc/PID/fd names them (`socket:[4711]`).
///
/// Processes that are not trusted may have millions of descriptors, so that the search ends early: when all are found, or at its
/// limit.
public struct SocketSearch {
  private let wanted: Set<UInt64>
  private var left: Int
  /// The inodes of those that some process has open.
  public private(set) var found: Set<UInt64> = []

  /// - Parameters:
  ///   - wanted: the inodes of the sockets.
  ///   - limit: how many descriptors are looked at; a process counts as one besides.
  public init(for wanted: Set<UInt64>, limit: Int) {
    self.wanted = wanted
    left = limit
  }

  /// All of them are open somewhere.
  public var isComplete: Bool { found == wanted }
  /// It ended at its limit: what was not found may be held all the same.
  public var isExhausted: Bool { left <= 0 && !isComplete }

  /// Looks for all of them anew, within what is left of the limit.
  public mutating func forget() { found = [] }

  /// - Returns: false when the process has nothing open at all: the kernel takes that away some time before it tells of the end, and of a
  ///   PID 1 it is as long as all the others take to end.
  /// - Throws: `SystemError`; `ENOENT` when the process is gone.
  @discardableResult
  public mutating func look(atProcess pid: Int32) throws(SystemError) -> Bool {
    if isComplete || left <= 0 { return true }
    left -= 1
    let before = left
    let directory = "/proc/\(pid)/fd"
    try forEachEntry(of: directory) { name throws(SystemError) in
      left -= 1
      if let target = try linkOfDescriptor("\(directory)/\(name)"), let inode = Self.inode(target),
        wanted.contains(inode)
      {
        found.insert(inode)
      }
      return left > 0 && !isComplete
    }
    return left < before
  }

  private static func inode(_ target: String) -> UInt64? {
    guard target.hasPrefix("socket:["), target.hasSuffix("]") else { return nil }
    return UInt64(target.dropFirst(8).dropLast())
  }
}

/// Calls `body` with a descriptor of our own for each socket that a process has open in the network namespace of this one:
/// pidfd_getfd(2). Needs the right to trace it.
///
/// - Parameters:
///   - pid: the process.
///   - pidfd: of the same process.
///   - limit: how many descriptors are looked at: one that is not trusted may have millions.
///   - body: takes the descriptor over; false ends the search.
/// - Throws: `SystemError`; `ENOENT` when the process is gone. A single descriptor that cannot be had is passed over.
public func forEachSocket(
  ofProcess pid: Int32, pidfd: borrowing OwnedFD, limit: Int, _ body: (consuming OwnedFD) -> Bool
) throws(SystemError) {
  let (directory, process) = ("/proc/\(pid)/fd", pidfd.raw)
  let own = try networkCookie(of: OwnedFD(owning: try retrying("socket") { socket(AF_UNIX, datagramType, 0) }))
  var left = limit
  try forEachEntry(of: directory) { name throws(SystemError) in
    left -= 1
    guard let number = Int32(name), try linkOfDescriptor("\(directory)/\(name)")?.hasPrefix("socket:[") == true else {
      return left > 0
    }
    let raw = linux_pidfd_getfd(process, number)
    if raw < 0 { return left > 0 }
    let fd = OwnedFD(owning: raw)
    // One that the guest made in a namespace of its own may have any address.
    guard (try? networkCookie(of: fd)) == own else { return left > 0 }
    return body(fd) && left > 0
  }
}

private let datagramType = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)

/// Names the network namespace of a socket (Linux 5.14).
private func networkCookie(of fd: borrowing OwnedFD) throws(SystemError) -> UInt64 {
  try option(fd, SOL_SOCKET, LINUX_SO_NETNS_COOKIE, initially: UInt64(0), named: "SO_NETNS_COOKIE")
}

/// nil when it has been closed since it was listed. What any other error hides might be a socket.
private func linkOfDescriptor(_ path: String) throws(SystemError) -> String? {
  do throws(SystemError) {
    return try readLink(path)
  } catch {
    if error.errno == ENOENT { return nil }
    throw error
  }
}

/// What a symbolic link holds.
///
/// - Throws: `SystemError`; `EINVAL` when it is none.
public func readLink(_ path: String) throws(SystemError) -> String {
  var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
  let count = try retrying("readlink \(path)") { readlink(path, &buffer, buffer.count) }
  return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
