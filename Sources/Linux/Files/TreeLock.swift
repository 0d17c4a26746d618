import Glibc

/// The lock of a directory tree that a system runs in. systemd-nspawn, machinectl and importd take the same one, so they and dormoused
/// exclude each other. Whoever writes to the tree takes it alone; those who only read share it.
public final class TreeLock {
  /// Identifies the tree by its device and inode number, whatever its path.
  public let identity: String
  private let locks: [LockFile]

  /// Where systemd keeps the locks of this host.
  public static let directory = "/run/systemd/nspawn/locks"

  /// - Returns: nil when somebody else, in this process or another, has locked the tree.
  /// - Throws: `SystemError` when the tree cannot be found, or the lock cannot be made.
  public init?(of tree: String, isShared: Bool, in directory: String = TreeLock.directory) throws(SystemError) {
    identity = try Self.identity(of: tree)
    // Nobody else locks the host's own root, and no guest may write to it.
    if tree == "/" {
      locks = []
      return
    }
    try makeDirectories(directory, mode: 0o700)
    guard let local = try LockFile(locking: "\(directory)/\(identity)", isShared: isShared) else { return nil }
    guard let path = Self.besides(tree) else {
      locks = [local]
      return
    }
    let beside: LockFile?
    do throws(SystemError) {
      guard let lock = try LockFile(locking: path, isShared: isShared) else { return nil }
      beside = lock
    } catch {
      // The file system may be read-only or full. The other lock is enough on this host.
      beside = nil
    }
    locks = [local, beside].compactMap { $0 }
  }

  /// The name that systemd gives the lock of a tree.
  ///
  /// - Throws: `SystemError` of stat(2).
  public static func identity(of tree: String) throws(SystemError) -> String {
    var status = stat()
    try retrying("stat \(tree)") { stat(tree, &status) }
    return "inode-\(status.st_dev):\(status.st_ino)"
  }

  /// The lock file beside the tree, for hosts that share the file system. Nil where other users could make that file, hold its lock, and
  /// so keep the guest from starting.
  private static func besides(_ tree: String) -> String? {
    let above = parentDirectory(of: tree)
    guard isOnlyOurs(above) else { return nil }
    return "\(above == "/" ? "" : above)/.#\(lastComponent(of: tree)).lck"
  }
}
