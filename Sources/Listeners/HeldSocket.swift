import Linux

/// An open socket, and its number in /proc/PID/fd.
package final class HeldSocket {
  package let descriptor: OwnedFD
  package let inode: UInt64
  /// Its name in the service manager's store, which keeps it for the next daemon; nil when it is not there, nor on its way.
  var storedAs: StoredName?

  /// - Throws: `SystemError` when it is no socket.
  package init(_ descriptor: consuming OwnedFD) throws(SystemError) {
    _ = try insisting { () throws(SystemError) in try kind(of: descriptor) }
    inode = try Self.inode(of: descriptor)
    self.descriptor = descriptor
  }

  /// What is given up here may be had from nobody else.
  private static func inode(of descriptor: borrowing OwnedFD) throws(SystemError) -> UInt64 {
    try insisting { () throws(SystemError) in try Linux.inode(of: descriptor) }
  }

  /// Whether somebody waits at it; not when that cannot be told.
  var hasInput: Bool { (try? Linux.hasInput(descriptor)) == true }
}
