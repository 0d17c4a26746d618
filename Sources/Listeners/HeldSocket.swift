import Linux

/// An open socket, and its number in /proc/PID/fd.
package final class HeldSocket {
  package let descriptor: OwnedFD
  package let inode: UInt64
  /// Its name in the service manager's store, which passes it to the next daemon. Nil: it is not stored, and not to be stored.
  var storedAs: StoredName?

  /// Takes over an open socket.
  ///
  /// - Throws: `SystemError`; `ENOTSOCK` when the descriptor is not a socket.
  package init(_ descriptor: consuming OwnedFD) throws(SystemError) {
    _ = try insisting { () throws(SystemError) in try kind(of: descriptor) }
    inode = try Self.inode(of: descriptor)
    // A guest has the socket too. SO_LINGER or a long queue could make close(2) block, so the closing may take long.
    self.descriptor = OwnedFD(owning: descriptor.release(), closing: .elsewhereSoon)
  }

  /// Tried several times: nobody else may have this descriptor, and what waits at it would be lost.
  private static func inode(of descriptor: borrowing OwnedFD) throws(SystemError) -> UInt64 {
    try insisting { () throws(SystemError) in try Linux.inode(of: descriptor) }
  }

  /// Whether a connection or a datagram is queued. False when the kernel does not answer.
  var hasInput: Bool { (try? Linux.hasInput(descriptor)) == true }
}
