import CLinux
import Glibc

/// A path of the host, resolved component by component, with the file that it leads to.
///
/// No user but root and this process's own can make it lead to a file of somebody else (as systemd's CHASE_SAFE). In a directory of another
/// user it accepts only files of that user, and a symbolic link of a user must lead to a file of that user. Otherwise the user could put a
/// link to root's file there.
public struct SafePath: ~Copyable {
  /// The file, opened only to refer to it (O_PATH). While it is open, the kernel gives its inode number to no other file.
  public let descriptor: OwnedFD
  /// The path without symbolic links.
  public let path: String
  /// The device and inode number of the file.
  public let identity: FileIdentity
  /// The type of the file.
  public let kind: FileStatus.Kind
  /// The owner's uid.
  public let user: UInt32
  /// The group's gid.
  public let group: UInt32
  /// Who may enter each directory of `path`, from / on, with the file itself if it is a directory.
  public let ways: [DirectoryAccess]
  /// All directories that were walked through, with those around symbolic links; the file itself last if it is a directory.
  let walked: [DirectoryAccess]

  private static let linkLimit = 40
  /// PROC_SUPER_MAGIC of statfs(2).
  private static let procfs = 0x9fa0

  /// Resolves an absolute path. With `followingLast` it follows a symbolic link as the last component too.
  ///
  /// - Throws: `SystemError`; `EPERM` when a user other than root could make the path lead to a file of somebody else, `EINVAL` when it is
  ///   relative, `ELOOP` after 40 symbolic links.
  public init(_ path: String, followingLast: Bool = true) throws(SystemError) {
    var place = try Place(path)
    while let step = place.pending.popLast() {
      switch step {
      case .name("."): continue
      case .name(".."): try place.goUp()
      case .name(let name): try place.enter(name, followingLinks: followingLast || !place.pending.isEmpty)
      case .endOfLink(let owner):
        if place.status.st_uid != owner { throw place.refusal("a link of user \(owner)", place.status) }
      }
    }
    self.path = "/" + place.names.joined(separator: "/")
    identity = FileIdentity(device: DeviceNumber(place.status.st_dev), inode: UInt64(place.status.st_ino))
    kind = FileStatus.Kind(mode: place.status.st_mode)
    user = place.status.st_uid
    group = place.status.st_gid
    ways = place.ways
    walked = place.walked
    descriptor = place.takeFile()
  }

  /// Passes ownership of the descriptor to the caller.
  public consuming func takeDescriptor() -> OwnedFD { descriptor }

  /// A path in /proc/self/fd, which leads to the file while `descriptor` is open, even when the file is renamed.
  public var alias: String { "/proc/self/fd/\(descriptor.raw)" }

  /// Whether users of the host other than root and `user` can reach the file by this path, or what is in it if it is a directory.
  ///
  /// With `whenOpened`, whether they could if somebody changed the mode of the directory itself.
  public func isReachable(exceptBy user: UInt32, whenOpened: Bool) -> Bool {
    let own = whenOpened && kind == .directory ? 1 : 0
    return !ways.dropLast(own).contains { $0.isClosed(exceptTo: user) }
  }

  private enum Step {
    case name(String)
    /// All components of the target of this user's symbolic link have been walked.
    case endOfLink(owner: UInt32)
  }

  /// The state of the walk. `pending` has the next step last; `names` is the path of `file`.
  private struct Place: ~Copyable {
    let whole: String
    var pending: [Step]
    var names: [String] = []
    var file: OwnedFD
    var status: stat
    var ways: [DirectoryAccess]
    var walked: [DirectoryAccess]
    var links = 0

    init(_ path: String) throws(SystemError) {
      guard path.hasPrefix("/") else { throw SystemError("open \(path)", errno: EINVAL) }
      let root = OwnedFD(owning: try retrying("open /") { open("/", LINUX_O_PATH | O_CLOEXEC) })
      let status = try Place.status(of: root, path)
      whole = path
      pending = Place.steps(path)
      ways = [DirectoryAccess(status, hasList: false)]
      walked = ways
      self.status = status
      file = root
    }

    /// Whether files of a user are trusted as root's are.
    static func isTrusted(_ user: UInt32) -> Bool { user == 0 || user == geteuid() }

    consuming func takeFile() -> OwnedFD { file }

    static func steps(_ path: String) -> [Step] {
      path.split(separator: "/").reversed().map { .name(String($0)) }
    }

    static func status(of file: borrowing OwnedFD, _ path: String) throws(SystemError) -> stat {
      let raw = file.raw
      var status = stat()
      try retrying("stat \(path)") { fstat(raw, &status) }
      return status
    }

    func refusal(_ what: String, _ to: stat) -> SystemError {
      SystemError(
        "open \(whole) (\(what) leads to a file of user \(to.st_uid); let it belong to root, or name the file itself)",
        errno: EPERM)
    }

    /// Throws `EPERM` unless the walk may go on from `file` to `next`: from a file of root to any, else only to one of the same user.
    func check(_ next: stat) throws(SystemError) {
      if Place.isTrusted(status.st_uid) || status.st_uid == next.st_uid { return }
      throw refusal("/\(names.joined(separator: "/")) of user \(status.st_uid)", next)
    }

    mutating func goUp() throws(SystemError) {
      let (raw, whole) = (file.raw, whole)
      let parent = OwnedFD(owning: try retrying("open \(whole)") { openat(raw, "..", LINUX_O_PATH | O_CLOEXEC) })
      let next = try Place.status(of: parent, whole)
      try check(next)
      if names.popLast() != nil { ways.removeLast() }
      file = parent
      status = next
    }

    mutating func enter(_ name: String, followingLinks: Bool) throws(SystemError) {
      let (raw, whole) = (file.raw, whole)
      let flags = LINUX_O_PATH | O_NOFOLLOW | O_CLOEXEC
      var found = OwnedFD(owning: try retrying("open \(whole)") { openat(raw, name, flags) })
      var next = try Place.status(of: found, whole)
      try check(next)
      if next.st_mode & S_IFMT == S_IFLNK, followingLinks {
        guard isMagic() else { return try follow(found, next) }
        // The kernel resolves a magic link of procfs (/proc/PID/fd/N) directly to a file, not by a path that could be walked.
        found = OwnedFD(owning: try retrying("open \(whole)") { openat(raw, name, LINUX_O_PATH | O_CLOEXEC) })
        let target = try Place.status(of: found, whole)
        if !Place.isTrusted(next.st_uid), next.st_uid != target.st_uid {
          throw refusal("a link of user \(next.st_uid)", target)
        }
        next = target
      }
      names.append(name)
      if next.st_mode & S_IFMT == S_IFDIR || !pending.isEmpty {
        let way = DirectoryAccess(next, hasList: Place.hasList(found))
        ways.append(way)
        walked.append(way)
      }
      file = found
      status = next
    }

    private mutating func follow(_ link: borrowing OwnedFD, _ own: stat) throws(SystemError) {
      links += 1
      if links > SafePath.linkLimit { throw SystemError("open \(whole)", errno: ELOOP) }
      let target = try readLink(of: link)
      if !Place.isTrusted(own.st_uid) { pending.append(.endOfLink(owner: own.st_uid)) }
      pending += Place.steps(target)
      if !target.hasPrefix("/") { return }
      let root = OwnedFD(owning: try retrying("open /") { open("/", LINUX_O_PATH | O_CLOEXEC) })
      status = try Place.status(of: root, whole)
      file = root
      names = []
      ways = [DirectoryAccess(status, hasList: false)]
    }

    private func isMagic() -> Bool {
      var system = statfs()
      return fstatfs(file.raw, &system) == 0 && Int(system.f_type) == SafePath.procfs
    }

    /// Whether a directory has an access control list (acl(5)), which may let in users that its mode does not show.
    private static func hasList(_ directory: borrowing OwnedFD) -> Bool {
      getxattr("/proc/self/fd/\(directory.raw)", "system.posix_acl_access", nil, 0) > 0
    }
  }
}

/// The numbers of stat(2) that identify a file while it exists.
public struct FileIdentity: Equatable, Sendable {
  /// The device number of its file system.
  public let device: DeviceNumber
  /// Its inode number in that file system.
  public let inode: UInt64
}

/// Reads a whole regular file of at most `limit` bytes at a path that is resolved as a `SafePath`.
///
/// - Throws: as `SafePath.init`; `EINVAL` when it is not a regular file, `EFBIG` when it is longer than `limit`.
public func readSafely(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
  let file = try SafePath(path)
  guard file.kind == .regular else { throw SystemError("read \(path)", errno: EINVAL) }
  do throws(SystemError) {
    return try readFile(file.alias, limit: limit)
  } catch {
    throw SystemError("read \(path)", errno: error.errno)
  }
}
