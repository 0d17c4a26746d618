import CLinux
import Glibc

/// A search for sockets among the descriptors of processes, by the links in /proc/PID/fd (`socket:[4711]`).
///
/// The processes are not trusted and may have millions of descriptors. So the search ends when all sockets are found, or at its limit.
public struct SocketSearch {
  private let wanted: Set<UInt64>
  private var left: Int
  /// The inodes of the sockets that a process was found to hold.
  public private(set) var found: Set<UInt64> = []

  /// - Parameters:
  ///   - wanted: the inodes of the sockets.
  ///   - limit: how many descriptors are read; each process counts as one more.
  public init(for wanted: Set<UInt64>, limit: Int) {
    self.wanted = wanted
    left = limit
  }

  /// Whether all sockets were found.
  public var isComplete: Bool { found == wanted }
  /// Whether the search ended at its limit: a socket that was not found may be held all the same.
  public var isExhausted: Bool { left <= 0 && !isComplete }

  /// Searches for all sockets again, within what is left of the limit.
  public mutating func forget() { found = [] }

  /// Searches the descriptors of one process.
  ///
  /// - Returns: false when the process has no descriptors at all. The kernel closes the descriptors of an exiting process some time before
  ///   it reports the exit; for a PID 1 that takes until all other processes of its namespace have exited.
  /// - Throws: `SystemError`; `ENOENT` when the process is gone.
  @discardableResult
  public mutating func scan(process pid: Int32) throws(SystemError) -> Bool {
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

/// Calls `body` with a duplicate of each socket that a process holds and that belongs to this process's network namespace
/// (pidfd_getfd(2)). It needs permission to trace the process.
///
/// - Parameters:
///   - pid: the process.
///   - pidfd: a pidfd of the same process.
///   - limit: how many descriptors are read: a process that is not trusted may have millions.
///   - body: takes over the duplicate, and returns false to end the search.
/// - Throws: `SystemError`; `ENOENT` when the process is gone. A descriptor that cannot be duplicated is skipped.
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
    let fd = OwnedFD(owning: raw, closing: .elsewhere)
    // A socket that the guest made in another network namespace may have any address.
    guard (try? networkCookie(of: fd)) == own else { return left > 0 }
    return body(fd) && left > 0
  }
}

private let datagramType = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)

/// Reads the number that identifies a socket's network namespace (Linux 5.14).
private func networkCookie(of fd: borrowing OwnedFD) throws(SystemError) -> UInt64 {
  try option(fd, SOL_SOCKET, LINUX_SO_NETNS_COOKIE, initially: UInt64(0), named: "SO_NETNS_COOKIE")
}

/// Reads the link of a descriptor; nil when it was closed since it was listed, or is a file whose path is too long to be read. After any
/// other error it could be a socket, so that is thrown.
private func linkOfDescriptor(_ path: String) throws(SystemError) -> String? {
  do throws(SystemError) {
    return try readLink(path)
  } catch {
    if error.errno == ENOENT || error.errno == ENAMETOOLONG { return nil }
    throw error
  }
}

/// Reads the target of a symbolic link.
///
/// - Throws: `SystemError`; `EINVAL` when the file is not a symbolic link.
public func readLink(_ path: String) throws(SystemError) -> String {
  var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
  let count = try retrying("readlink \(path)") { readlink(path, &buffer, buffer.count) }
  return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
