import Linux

// Refuses clients that no process will serve. accept(2) is not used: the guest shares the socket, and could empty the queue and clear
// O_NONBLOCK just before the call, which would block then.
extension Listener {
  /// Whether the daemon refuses its clients itself, and not by another process (`ClientRefusal`).
  var isRefusedHere: Bool {
    local.port != nil && (listen.kind == .datagram || standby == nil || steering?.movesQueues == true)
  }

  /// Refuses the clients that wait.
  ///
  /// - Returns: how many were refused.
  /// - Throws: `SystemError`; `EINVAL` when the guest has shut the socket down.
  func refuseQueued() throws(SystemError) -> Int {
    if listen.kind == .datagram { return try dropQueued(at: descriptor, limit: 64) }
    let count = try resetQueued(at: descriptor, backlog: group.backlog)
    if count > 0 { hasLostPlace = true }
    return count
  }

  /// How many clients that have closed may stay in the queue before they are removed.
  private static let mostSpent = 128

  /// With `DeferAcceptSec=`: if only clients wait that have closed and never sent anything, ignores them and reports only clients that come
  /// later. Such clients make the socket readable although nobody needs an answer.
  ///
  /// - Parameter diag: tells the state of the clients.
  /// - Returns: whether there are only such clients.
  func ignoreSpent(_ diag: SockDiag) -> Bool {
    guard group.deferAccept != nil, tcpPort != nil, !isSomebodyParked,
      let connections = try? diag.tcpConnections(at: [local])
    else { return false }
    let queued = connections.filter {
      $0.inode == 0 && ($0.state == .established || $0.state == .closeWait) && local.accepts(at: $0.local)
    }
    guard queued.allSatisfy(\.isSpent) else { return false }
    if queued.count > Self.mostSpent { _ = try? refuseQueued() }
    watchArrivals()
    return true
  }
}
