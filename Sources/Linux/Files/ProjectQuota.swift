import CLinux
import Glibc

/// Limits on what the files below a directory may occupy, by the project quota of its file system.
public enum ProjectQuota {
  /// Whether the file system of a directory keeps such limits: ext4 mounted with `prjquota`, xfs with `pquota`.
  public static func isKept(at directory: String) -> Bool {
    guard let file = try? open(directory) else { return false }
    return linux_has_project_limits(file.raw) == 1
  }

  /// What an administrator does where it is not kept.
  public static func remedy(at directory: String) -> String {
    "mount \(directory) from ext4 with prjquota, or from xfs with pquota"
  }

  /// Limits what is made in an empty directory from now on to this many bytes, and to a file for each 4096 of them. A process with
  /// CAP_SYS_RESOURCE in the first user namespace may exceed it on ext4, but not through overlayfs.
  ///
  /// - Throws: `SystemError`; `EOPNOTSUPP` when the file system does not keep such limits.
  public static func limit(_ directory: String, project: UInt32, bytes: UInt64) throws(SystemError) {
    let file = try open(directory)
    let raw = file.raw
    let (blocks, files) = (max(bytes >> 10, 1), max(bytes >> 12, 16))
    guard linux_has_project_limits(raw) == 1 else {
      throw SystemError("project quota of \(directory)", errno: EOPNOTSUPP)
    }
    // The limit first: the guest's first file may already be too large.
    try retrying("limit the project of \(directory)") { linux_limit_project(raw, project, blocks, files) }
    try retrying("set the project of \(directory)") { linux_set_project(raw, project) }
  }

  private static func open(_ directory: String) throws(SystemError) -> OwnedFD {
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    return OwnedFD(owning: try retrying("open \(directory)") { Glibc.open(directory, flags) })
  }
}
