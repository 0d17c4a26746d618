import Linux
import Planning

/// Constants of mount(2), clone(2) and inode(7) that Swift's Glibc module lacks. They are the same on every architecture.
enum Kernel {
  static let slave: UInt64 = 1 << 19
  static let `private`: UInt64 = 1 << 18
  static let shared: UInt64 = 1 << 20

  static let newMounts: UInt64 = 0x0002_0000
  static let newCgroup: UInt64 = 0x0200_0000
  static let newHostname: UInt64 = 0x0400_0000
  static let newIPC: UInt64 = 0x0800_0000
  static let newUsers: UInt64 = 0x1000_0000
  static let newProcesses: UInt64 = 0x2000_0000
  static let newNetwork: UInt64 = 0x4000_0000

  /// personality(2)'s PER_LINUX32.
  static let personality32: UInt64 = 8

  static let socket: UInt64 = 0o140000
  static let file: UInt64 = 0o100000
  static let block: UInt64 = 0o060000
  static let character: UInt64 = 0o020000
  static let fifo: UInt64 = 0o010000
}

extension MountFlags {
  /// As `MS_…` of mount(2).
  var mountFlags: UInt64 {
    bits([
      (.readOnly, 1 << 0), (.noSetUID, 1 << 1), (.noDevices, 1 << 2), (.noExecute, 1 << 3),
      (.noSymlinkFollow, 1 << 8), (.noAccessTime, 1 << 10), (.strictAccessTime, 1 << 24),
    ])
  }

  /// As `MOUNT_ATTR_…` of mount_setattr(2). No plan changes the atime attributes, which are an enumeration there.
  var attributes: UInt64 {
    let same: [(MountFlags, MountAttributes)] = [
      (.readOnly, .readOnly), (.noSetUID, .noSetUID), (.noDevices, .noDevices), (.noExecute, .noExecute),
      (.noSymlinkFollow, .noSymlinkFollow),
    ]
    return bits(same.map { ($0, UInt64($1.rawValue)) })
  }

  private func bits(_ table: [(MountFlags, UInt64)]) -> UInt64 {
    table.reduce(0) { contains($1.0) ? $0 | $1.1 : $0 }
  }
}
