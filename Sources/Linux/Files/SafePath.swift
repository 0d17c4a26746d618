import CLinux
import Glibc

/// A path of the host, resolved name by name, with the file that it leads to.
///
/// Nobody but root may lead it to what is not his own. A file in a directory of another user belongs to that user, and a symbolic link of a
/// user leads to a file of that user; otherwise the user could exchange it for something of root's (as systemd's CHASE_SAFE).
public struct SafePath: ~Copyable {
  /// The file, opened only to refer to it (O_PATH). While it is open, the kernel gives its number to no other file.
  public let descriptor: OwnedFD
  /// The path without symbolic links.
  public let path: String
  /// What the kernel knows the file by.
  public let identity: FileIdentity
  /// What the file is.
  public let kind: FileStatus.Kind
  /// The owner's uid.
  public let user: UInt32
  /// The group's gid.
  public let group: UInt32
  /// The directories on the way, from the root's on, with the file itself if that is one.
  public let ways: [DirectoryAccess]

  private static let linkLimit = 40
  /// PROC_SUPER_MAGIC.
  private static let procfs = 0x9fa0

  /// Resolves an absolute path. With `followingLast` a symbolic link as its last name is followed.
  ///
  /// - Throws: `SystemError`; `EPERM` when somebody else than root could lead the path elsewhere.
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
    identity = FileIdentity(device: UInt64(place.status.st_dev), inode: UInt64(place.status.st_ino))
    kind = FileStatus.Kind(mode: place.status.st_mode)
    user = place.status.st_uid
    group = place.status.st_gid
    ways = place.ways
    descriptor = place.takeFile()
  }

  /// Passes the file on.
  public consuming func takeDescriptor() -> OwnedFD { descriptor }

  /// A path that leads to the file as long as it is open, whatever happens to its names.
  public var alias: String { "/proc/self/fd/\(descriptor.raw)" }

  /// Whether users of the host other than root and `user` can reach the file by this path.
  public func isReachable(exceptBy user: UInt32) -> Bool { !ways.contains { $0.isClosed(exceptTo: user) } }

  private enum Step {
    case name(String)
    /// Everything that a symbolic link of this user leads to has been walked.
    case endOfLink(owner: UInt32)
  }

  /// Where the walk is.
  private struct Place: ~Copyable {
    let whole: String
    var pending: [Step]
    var names: [String] = []
    var file: OwnedFD
    var status: stat
    var ways: [DirectoryAccess]
    var links = 0

    init(_ path: String) throws(SystemError) {
      guard path.hasPrefix("/") else { throw SystemError("open \(path)", errno: EINVAL) }
      let root = OwnedFD(owning: try retrying("open /") { open("/", LINUX_O_PATH | O_CLOEXEC) })
      let status = try Place.status(of: root, path)
      whole = path
      pending = Place.steps(path)
      ways = [DirectoryAccess(status, hasList: false)]
      self.status = status
      file = root
    }

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

    /// A file of root's may be followed by any other, but one of somebody else only by one of the same user.
    func check(_ next: stat) throws(SystemError) {
      if status.st_uid == 0 || status.st_uid == next.st_uid { return }
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
        // A link of procfs leads to a file by no path.
        found = OwnedFD(owning: try retrying("open \(whole)") { openat(raw, name, LINUX_O_PATH | O_CLOEXEC) })
        let target = try Place.status(of: found, whole)
        if next.st_uid != 0, next.st_uid != target.st_uid { throw refusal("a link of user \(next.st_uid)", target) }
        next = target
      }
      names.append(name)
      if next.st_mode & S_IFMT == S_IFDIR || !pending.isEmpty {
        ways.append(DirectoryAccess(next, hasList: Place.hasList(found)))
      }
      file = found
      status = next
    }

    private mutating func follow(_ link: borrowing OwnedFD, _ own: stat) throws(SystemError) {
      links += 1
      if links > SafePath.linkLimit { throw SystemError("open \(whole)", errno: ELOOP) }
      let target = try readLink(of: link)
      if own.st_uid != 0 { pending.append(.endOfLink(owner: own.st_uid)) }
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

    /// Whether a directory has an access control list, which may let in more than its mode shows.
    private static func hasList(_ directory: borrowing OwnedFD) -> Bool {
      getxattr("/proc/self/fd/\(directory.raw)", "system.posix_acl_access", nil, 0) > 0
    }
  }
}

/// What stat(2) tells a file from all others by.
public struct FileIdentity: Hashable, Sendable {
  public let device: UInt64
  public let inode: UInt64
}

/// Who may enter a directory.
public struct DirectoryAccess: Equatable, Sendable {
  let user: UInt32
  let group: UInt32
  let mode: UInt32
  let hasList: Bool

  init(user: UInt32, group: UInt32, mode: UInt32, hasList: Bool = false) {
    (self.user, self.group, self.mode, self.hasList) = (user, group, mode, hasList)
  }

  fileprivate init(_ status: stat, hasList: Bool) {
    self.init(user: status.st_uid, group: status.st_gid, mode: status.st_mode, hasList: hasList)
  }

  /// Whether only root and `user` may enter it. A group is taken for theirs when it has the number of one of them, as the group that a user
  /// is made with has.
  func isClosed(exceptTo user: UInt32) -> Bool {
    let isTheirs = self.user == 0 || self.user == user
    let isTheirGroup = !hasList && (group == 0 || group == user)
    return isTheirs && mode & 0o001 == 0 && (mode & 0o010 == 0 || isTheirGroup)
  }
}
