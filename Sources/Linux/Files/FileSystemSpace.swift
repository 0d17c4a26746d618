import CLinux
import Glibc

/// How much space the file system of a path has.
public struct FileSystemSpace: Equatable, Sendable {
  /// How many bytes it has in all.
  public let total: UInt64
  /// How many bytes are free for users other than root.
  public let free: UInt64
  /// Whether its files are in memory (tmpfs, ramfs).
  public let isInMemory: Bool

  /// TMPFS_MAGIC and RAMFS_MAGIC of statfs(2).
  private static let memoryTypes: [Int] = [0x0102_1994, 0x8584_58f6]

  /// - Throws: `SystemError` of statfs(2).
  public init(of path: String) throws(SystemError) {
    var status = statfs()
    try retrying("statfs \(path)") { statfs(path, &status) }
    let unit = UInt64(clamping: status.f_frsize > 0 ? Int(status.f_frsize) : Int(status.f_bsize))
    total = UInt64(status.f_blocks).multipliedReportingOverflow(by: unit).partialValue
    free = UInt64(status.f_bavail).multipliedReportingOverflow(by: unit).partialValue
    isInMemory = Self.memoryTypes.contains(Int(status.f_type))
  }
}
