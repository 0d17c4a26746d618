import CLinux
import Glibc

/// A new devpts, mounted nowhere yet, and the masters of its first terminals.
///
/// The daemon makes it and keeps the masters; the guest's mount namespace gets the mount. Nobody has to hand a master over.
public struct DetachedTerminals: ~Copyable {
  /// The mount, for move_mount(2).
  public let mount: OwnedFD
  /// The master of terminal 0, non-blocking.
  public let master: OwnedFD
  /// Those of the terminals from 1 on, likewise.
  public let others: DescriptorList

  private init(mount: consuming OwnedFD, master: consuming OwnedFD, others: DescriptorList) {
    self.mount = mount
    self.master = master
    self.others = others
  }

  /// Terminals belong to group 5, `tty` in every distribution, as systemd mounts devpts itself.
  ///
  /// `user` and `group` are, on the host, the root of who will use them; the terminals, of which there are `others` besides number 0,
  /// are theirs.
  ///
  /// - Throws: `SystemError` of fsopen(2), fsmount(2) or of opening the multiplexer in it.
  public static func make(
    user: UInt32 = 0, group: UInt32 = 0, others: Int = 0
  ) throws(SystemError) -> DetachedTerminals {
    let (terminalGroup, overflows) = group.addingReportingOverflow(5)
    if overflows { throw SystemError("fsconfig devpts gid", errno: EOVERFLOW) }
    let options = [("ptmxmode", "0666"), ("mode", "0620"), ("gid", "\(terminalGroup)")]
    let mount = try NewFileSystem(of: "devpts", options: options, attributes: [.noSetUID, .noExecute]).takeMount()
    if user != 0 { try retrying("chown devpts") { fchownat(mount.raw, ".", user, group, 0) } }
    let master = try openMaster(0, in: mount, user, terminalGroup)
    let list = DescriptorList()
    for number in 0..<others { list.append(try openMaster(number + 1, in: mount, user, terminalGroup)) }
    return DetachedTerminals(mount: mount, master: master, others: list)
  }

  /// Each opening of the multiplexer makes the terminal with the lowest number that is free.
  private static func openMaster(
    _ number: Int, in mount: borrowing OwnedFD, _ user: UInt32, _ group: UInt32
  ) throws(SystemError) -> OwnedFD {
    let (raw, flags) = (mount.raw, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
    let master = OwnedFD(owning: try retrying("open ptmx of devpts") { openat(raw, "ptmx", flags) })
    try retrying("unlock a terminal") { linux_unlock_terminal(master.raw) }
    if user != 0 { try retrying("chown a terminal") { fchownat(raw, "\(number)", user, group, 0) } }
    return master
  }

  /// Gives the master away and closes the mount, which by then is where it belongs.
  public consuming func takeMaster() -> OwnedFD { master }
}
