import Linux

/// An open socket, and its number in /proc/PID/fd.
final class HeldSocket {
  let descriptor: OwnedFD
  let inode: UInt64
  /// Whether the service manager has it too, for the next daemon.
  var isStored = false

  /// - Throws: `SystemError` when it is no socket.
  init(_ descriptor: consuming OwnedFD) throws(SystemError) {
    inode = try Linux.inode(of: descriptor)
    self.descriptor = descriptor
  }

  /// Whether somebody waits at it; not when that cannot be told.
  var hasInput: Bool { (try? Linux.hasInput(descriptor)) == true }
}
