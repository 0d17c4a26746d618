import CLinux
import Glibc

/// Changes the owners of a directory and everything below it to a range of ids: the low 16 bits of an id are added to `base`. Other file
/// systems that are mounted below it are skipped.
///
/// The directory itself belongs to `busy` meanwhile, so that an interrupted attempt can be recognized; calling this again completes it,
/// whichever system call was the last one. Modes and file capabilities(7) are kept, and the ids in access control lists are changed too.
/// Only some 32 directories are open at a time, however deep the tree is, so that its maker cannot exhaust this process's descriptors.
/// `path` is only for error messages.
///
/// - Throws: `SystemError` that names the file at which it stopped; `ESTALE` when somebody moved a directory meanwhile, `EWOULDBLOCK` when
///   another process gives the same tree away.
public func giveTree(
  _ directory: borrowing OwnedFD, _ path: String, to base: UInt32, busy: UInt32
) throws(SystemError) {
  let itself = FileName(bytes: [CChar(bitPattern: UInt8(ascii: ".")), 0])
  let raw = directory.raw
  let top = try DirectoryStream(itself.bytes, at: raw, path)
  // Two processes that give a tree to different ranges would leave it to neither. The kernel releases the lock when this process ends.
  if flock(top.descriptor, LOCK_EX | LOCK_NB) == -1 {
    throw SystemError("change the owners of the files below \(path), as another process does", errno: errno)
  }
  try FoundFile(opening: itself, at: raw, path).give(to: busy)
  var gift = TreeGift(base: base, path: path, levels: [try TreeGift.Level(top.open(itself))])
  try gift.run()
  try FoundFile(opening: itself, at: raw, path).give(to: base)
}

private struct TreeGift {
  let base: UInt32
  /// The path of the tree's top, for error messages.
  let path: String
  /// The directories from the top of the tree to the one that is being read.
  var levels: [Level]

  /// One of these directories. Only the deepest ones are open; `position` is where to read on in one that was closed.
  struct Level {
    let identity: DirectoryStream.Identity
    var stream: DirectoryStream?
    var position = 0

    init(_ stream: DirectoryStream) throws(SystemError) {
      identity = try stream.identity()
      self.stream = stream
    }
  }

  private static let mostOpen = 32

  mutating func run() throws(SystemError) {
    while let level = levels.last, let stream = level.stream {
      guard let (name, _) = try stream.next() else {
        try goUp(from: stream)
        continue
      }
      // The file is opened from its directory's descriptor, so that nobody can redirect this out of the tree by changing a path.
      let file = try FoundFile(opening: name, at: stream.descriptor, path)
      if file.status.st_dev != level.identity.device { continue }
      try file.give(to: base)
      if file.status.st_mode & S_IFMT == S_IFDIR { try enter(name, from: stream) }
    }
  }

  private mutating func enter(_ name: FileName, from stream: DirectoryStream) throws(SystemError) {
    levels.append(try Level(try stream.open(name)))
    let parked = levels.count - 1 - Self.mostOpen
    if parked < 0 { return }
    levels[parked].position = levels[parked].stream?.position ?? 0
    levels[parked].stream = nil
  }

  private mutating func goUp(from stream: DirectoryStream) throws(SystemError) {
    levels.removeLast()
    guard let last = levels.indices.last, levels[last].stream == nil else { return }
    let parent = try stream.openParent(levels[last].identity)
    parent.position = levels[last].position
    levels[last].stream = parent
  }
}

/// A file of any kind, opened only to refer to it (O_PATH).
private final class FoundFile {
  let descriptor: OwnedFD
  let status: stat
  /// The file, for error messages.
  private let path: String

  init(opening name: FileName, at directory: Int32, _ path: String) throws(SystemError) {
    let flags = LINUX_O_PATH | O_NOFOLLOW | O_CLOEXEC
    let descriptor = OwnedFD(
      owning: try retrying("open \(name) below \(path)") { openat(directory, name.bytes, flags) })
    var status = stat()
    try retrying("stat \(name) below \(path)") { fstat(descriptor.raw, &status) }
    self.descriptor = descriptor
    self.status = status
    self.path = "\(name) below \(path)"
  }

  func give(to base: UInt32) throws(SystemError) {
    let (user, group) = (base | status.st_uid & 0xFFFF, base | status.st_gid & 0xFFFF)
    let isLink = status.st_mode & S_IFMT == S_IFLNK
    let isGiven = (user, group) == (status.st_uid, status.st_gid)
    if isLink {
      if !isGiven { try chown(user, group) }
      return
    }
    // A process that was killed after chown(2) has left this.
    if isGiven {
      if let kept = Kept(attribute(Kept.name)) { try restore(kept, of: base) }
      return
    }
    for name in ["system.posix_acl_access", "system.posix_acl_default"] {
      if let list = attribute(name) { try setAttribute(name, Self.accessList(list, of: base)) }
    }
    guard let kept = Kept(attribute(Kept.name)) ?? Kept(status, attribute("security.capability")) else {
      return try chown(user, group)
    }
    do throws(SystemError) {
      try setAttribute(Kept.name, kept.bytes)
    } catch {
      // The file system has no such attributes. An interrupted attempt loses the bits of one file there.
      if error.errno != EOPNOTSUPP { throw error }
    }
    try chown(user, group)
    try restore(kept, of: base)
  }

  private func chown(_ user: UInt32, _ group: UInt32) throws(SystemError) {
    let raw = descriptor.raw
    try retrying("chown \(path)") { fchownat(raw, "", user, group, LINUX_AT_EMPTY_PATH) }
  }

  private func restore(_ kept: Kept, of base: UInt32) throws(SystemError) {
    try retrying("chmod \(path)") { chmod(itself, kept.mode) }
    if let capabilities = kept.capabilities {
      try setAttribute("security.capability", Self.capabilities(capabilities, of: base))
    }
    removexattr(itself, Kept.name)
  }

  private var itself: String { "/proc/self/fd/\(descriptor.raw)" }

  private func attribute(_ name: String) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    let count = getxattr(itself, name, &bytes, bytes.count)
    return count > 0 ? Array(bytes[..<count]) : nil
  }

  private func setAttribute(_ name: String, _ bytes: [UInt8]) throws(SystemError) {
    try retrying("setxattr \(name) \(path)") { setxattr(itself, name, bytes, bytes.count, 0) }
  }

  /// Converts file capabilities to revision 3 of linux/capability.h (struct vfs_ns_cap_data), which has the root id of the user namespace
  /// that they apply in.
  private static func capabilities(_ bytes: [UInt8], of base: UInt32) -> [UInt8] {
    guard bytes.count >= 20, base != 0 else { return bytes }
    // The revision is the highest byte of the first word, flags the lowest.
    return bytes[..<3] + [3] + bytes[4..<20] + (0..<4).map { UInt8(truncatingIfNeeded: base >> (8 * $0)) }
  }

  /// Changes the ids in the extended attribute of an acl(5): a word with the version, then tag, permissions and id of each entry.
  private static func accessList(_ bytes: [UInt8], of base: UInt32) -> [UInt8] {
    var list = bytes
    for entry in stride(from: 4, to: bytes.count - 7, by: 8) {
      // Only ACL_USER and ACL_GROUP have an id.
      guard bytes[entry] == 0x02 || bytes[entry] == 0x08 else { continue }
      for byte in 0..<2 { list[entry + 6 + byte] = UInt8(truncatingIfNeeded: base >> (16 + 8 * byte)) }
    }
    return list
  }
}

/// What chown(2) takes from a file: the set-user-ID and set-group-ID bits, and the capabilities. Kept in an extended attribute of the file
/// until it has them again. Only root on the host can write an attribute of this class (xattr(7)).
private struct Kept {
  static let name = "trusted.dormouse.chown"

  let mode: UInt32
  let capabilities: [UInt8]?

  /// - Returns: nil when chown(2) takes nothing from the file.
  init?(_ status: stat, _ capabilities: [UInt8]?) {
    if capabilities == nil, status.st_mode & (S_ISUID | S_ISGID) == 0 { return nil }
    mode = status.st_mode & 0o7777
    self.capabilities = capabilities
  }

  init?(_ bytes: [UInt8]?) {
    guard let bytes, bytes.count >= 2 else { return nil }
    mode = (UInt32(bytes[0]) | UInt32(bytes[1]) << 8) & 0o7777
    capabilities = bytes.count > 2 ? Array(bytes[2...]) : nil
  }

  var bytes: [UInt8] { [UInt8(mode & 0xFF), UInt8(mode >> 8)] + (capabilities ?? []) }
}
