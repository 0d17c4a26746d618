import Linux

// Recovers the state in which an earlier daemon left parked clients.
extension Listener {
  /// Takes back the standby that an earlier daemon opened. Clients may still come to it.
  ///
  /// - Returns: false when no client can come to it any more.
  /// - Throws: `SystemError` when the kernel does not answer.
  func takeBackStandby(_ socket: HeldSocket) throws(SystemError) -> Bool {
    switch local {
    case .ipv4, .ipv6:
      if listen.kind == .stream, try !isListening(socket.descriptor) { return false }
      steersToStandby = true
    case .path: break  // `recoverPath` finds out
    case .abstract, .unnamed: return false
    }
    standby = socket
    return true
  }

  /// Finds out to which of two sockets an earlier daemon steered the clients of a path. If a killed daemon left the path to a standby that
  /// is gone, the primary gets it back.
  ///
  /// - Throws: `SystemError` of sock_diag(7) or renameat2(2).
  func recoverPath(_ diag: SockDiag) throws(SystemError) {
    guard case .path(let path) = local else { return }
    if let standby {
      steersToStandby = try diag.isReached(standby.descriptor, by: path)
      return
    }
    guard StandbyPath.exists(path) else { return }
    if try !diag.isReached(primary.descriptor, by: path) { try StandbyPath.exchange(path) }
    StandbyPath.remove(path)
  }
}
