import CLinux
import Glibc

/// A new devpts that is not attached yet, and the masters of its first terminals.
///
/// The daemon makes it and keeps the masters, and the guest's mount namespace gets the mount. So no process has to pass a master.
public struct DetachedTerminals: ~Copyable {
  /// The mount, for move_mount(2).
  public let mount: OwnedFD
  /// The master of terminal 0. It is non-blocking.
  public let master: OwnedFD
  /// The masters of the terminals from 1 on. They are non-blocking.
  public let others: DescriptorList

  private init(mount: consuming OwnedFD, master: consuming OwnedFD, others: DescriptorList) {
    self.mount = mount
    self.master = master
    self.others = others
  }

  /// How many terminals a guest may have at a time (devpts option `max=`). The sysctl kernel.pty.max allows 4096 on the whole machine.
  public static let most = 256

  /// Makes a devpts with terminal 0 and as many more as `others`.
  ///
  /// `user` and `group` are the host's ids of root in the guest. The terminals belong to that user, and to the guest's group 5, which is
  /// `tty` in every distribution and in systemd's own mount of devpts.
  ///
  /// - Throws: `SystemError` of fsopen(2), fsmount(2) or of opening ptmx; `EOVERFLOW` when there is no such group.
  public static func make(
    user: UInt32 = 0, group: UInt32 = 0, others: Int = 0
  ) throws(SystemError) -> DetachedTerminals {
    let (terminalGroup, overflows) = group.addingReportingOverflow(5)
    if overflows { throw SystemError("fsconfig devpts gid", errno: EOVERFLOW) }
    let options = [
      ("ptmxmode", "0666"), ("mode", "0620"), ("gid", "\(terminalGroup)"), ("max", "\(most)"),
    ]
    let mount = try NewFileSystem(of: "devpts", options: options, attributes: [.noSetUID, .noExecute]).takeMount()
    if user != 0 { try retrying("chown devpts") { fchownat(mount.raw, ".", user, group, 0) } }
    let master = try openMaster(0, in: mount, user, terminalGroup)
    let list = DescriptorList()
    for number in 0..<others { list.append(try openMaster(number + 1, in: mount, user, terminalGroup)) }
    return DetachedTerminals(mount: mount, master: master, others: list)
  }

  /// Opens ptmx, which makes the terminal with the lowest free number.
  private static func openMaster(
    _ number: Int, in mount: borrowing OwnedFD, _ user: UInt32, _ group: UInt32
  ) throws(SystemError) -> OwnedFD {
    let (raw, flags) = (mount.raw, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
    let master = OwnedFD(owning: try retrying("open ptmx of devpts") { openat(raw, "ptmx", flags) })
    try retrying("unlock a terminal") { linux_unlock_terminal(master.raw) }
    if user != 0 { try retrying("chown a terminal") { fchownat(raw, "\(number)", user, group, 0) } }
    return master
  }

  /// Passes ownership of the master to the caller and closes the mount, which must be attached by then.
  public consuming func takeMaster() -> OwnedFD { master }
}
