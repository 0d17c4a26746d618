import CLinux
import Glibc

/// A new devpts, mounted nowhere yet, and the master of its first terminal, number 0.
///
/// The daemon makes it and keeps the master; the guest's mount namespace gets the mount. Nobody has to hand the master over.
public struct DetachedTerminals: ~Copyable {
  /// The mount, for move_mount(2).
  public let mount: OwnedFD
  /// The master, non-blocking.
  public let master: OwnedFD

  private init(mount: consuming OwnedFD, master: consuming OwnedFD) {
    self.mount = mount
    self.master = master
  }

  /// Terminals belong to group 5, `tty` in every distribution, as systemd mounts devpts itself.
  ///
  /// `user` and `group` are, on the host, the root of who will use them; terminal 0 is theirs.
  ///
  /// - Throws: `SystemError` of fsopen(2), fsmount(2) or of opening the multiplexer in it.
  public static func make(user: UInt32 = 0, group: UInt32 = 0) throws(SystemError) -> DetachedTerminals {
    let options = [("ptmxmode", "0666"), ("mode", "0620"), ("gid", "\(group + 5)")]
    let mount = try NewFileSystem(of: "devpts", options: options, attributes: [.noSetUID, .noExecute]).takeMount()
    let flags = O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK
    let master = OwnedFD(owning: try retrying("open ptmx of devpts") { openat(mount.raw, "ptmx", flags) })
    try retrying("unlock a terminal") { linux_unlock_terminal(master.raw) }
    if user != 0 {
      try retrying("chown devpts") { fchownat(mount.raw, ".", user, group, 0) }
      try retrying("chown a terminal") { fchownat(mount.raw, "0", user, group + 5, 0) }
    }
    return DetachedTerminals(mount: mount, master: master)
  }

  /// Gives the master away and closes the mount, which by then is where it belongs.
  public consuming func takeMaster() -> OwnedFD { master }
}
