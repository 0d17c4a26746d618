import CLinux
import Glibc

/// A new file system that is not attached yet (fsopen(2), fsmount(2)).
public struct NewFileSystem: ~Copyable {
  /// The mount. Files are made relative to it, and move_mount(2) attaches it.
  public let mount: OwnedFD
  private let context: OwnedFD
  private let type: String

  /// Makes the file system.
  ///
  /// - Throws: `SystemError` of the failed call, with `type`.
  public init(
    of type: String, options: [(key: String, value: String)] = [], attributes: MountAttributes
  ) throws(SystemError) {
    let context = OwnedFD(owning: try retrying("fsopen \(type)") { linux_fsopen(type) })
    for (key, value) in options {
      try retrying("fsconfig \(type) \(key)") { linux_fsconfig_string(context.raw, key, value) }
    }
    try retrying("fsconfig \(type)") { linux_fsconfig_create(context.raw) }
    let mount = OwnedFD(owning: try retrying("fsmount \(type)") { linux_fsmount(context.raw, attributes.rawValue) })
    self.context = context
    self.mount = mount
    self.type = type
  }

  /// Makes the mount and the file system behind it read-only, for everybody and for good.
  ///
  /// - Throws: `SystemError`.
  public func seal() throws(SystemError) {
    try setAttributes(of: mount, [.readOnly])
    try retrying("fsconfig \(type) ro") { linux_fsconfig_flag(context.raw, "ro") }
    try retrying("reconfigure \(type)") { linux_fsconfig_reconfigure(context.raw) }
  }

  /// Passes ownership of the mount to the caller.
  public consuming func takeMount() -> OwnedFD { mount }
}

/// `MOUNT_ATTR_…` of mount_setattr(2).
public struct MountAttributes: OptionSet, Sendable {
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// MOUNT_ATTR_RDONLY.
  public static let readOnly = MountAttributes(rawValue: 0x1)
  /// MOUNT_ATTR_NOSUID.
  public static let noSetUID = MountAttributes(rawValue: 0x2)
  /// MOUNT_ATTR_NODEV.
  public static let noDevices = MountAttributes(rawValue: 0x4)
  /// MOUNT_ATTR_NOEXEC.
  public static let noExecute = MountAttributes(rawValue: 0x8)
  /// MOUNT_ATTR_NOSYMFOLLOW (Linux 5.14).
  public static let noSymlinkFollow = MountAttributes(rawValue: 0x20_0000)
}

/// Adds `attributes` to a mount.
///
/// - Throws: `SystemError`.
public func setAttributes(of mount: borrowing OwnedFD, _ attributes: MountAttributes) throws(SystemError) {
  let raw = mount.raw
  try retrying("mount_setattr") { linux_set_mount_attributes(raw, UInt64(attributes.rawValue)) }
}

/// Attaches a mount to `path`.
///
/// - Throws: `SystemError`; `ENOENT` when `path` does not exist.
public func attachMount(_ mount: borrowing OwnedFD, at path: String) throws(SystemError) {
  let raw = mount.raw
  try retrying("mount on \(path)") { linux_attach_mount(raw, path) }
}

/// Makes a mount private: mounts do not propagate from it to its copies, nor from them to it.
///
/// - Throws: `SystemError`.
public func makePrivate(_ mount: borrowing OwnedFD) throws(SystemError) {
  let raw = mount.raw
  try retrying("mount_setattr MS_PRIVATE") { linux_make_mount_private(raw) }
}

/// Clones the mount at `path`, with `recursive` also the mounts below it. The clone is not attached.
///
/// - Throws: `SystemError`.
public func cloneMount(at path: String, recursive: Bool = false) throws(SystemError) -> OwnedFD {
  OwnedFD(owning: try retrying("open_tree \(path)") { linux_clone_mount(path, recursive ? 1 : 0) })
}

/// Detaches every mount that is stacked on `path`. That there is none is no error. A mount that is in use stays until its last user is gone
/// (MNT_DETACH).
public func removeMounts(at path: String) {
  let (detach, noFollow): (Int32, Int32) = (2, 8)
  while umount2(path, detach | noFollow) == 0 { continue }
}
