import Linux

// Clients whom nobody will serve. Nobody can take one out of a queue that a guest has in hand too, without waiting for what the guest does.
extension Listener {
  /// Whether this process refuses its clients, and no other (`ClientRefusal`).
  var isRefusedHere: Bool {
    local.port != nil && (listen.kind == .datagram || standby == nil || steering?.movesQueues == true)
  }

  /// Refuses the clients that wait.
  ///
  /// - Returns: how many were refused.
  /// - Throws: `SystemError`; `EINVAL` when somebody has shut the socket down.
  func refuseQueued() throws(SystemError) -> Int {
    if listen.kind == .datagram { return try dropQueued(at: descriptor, limit: 64) }
    let count = try resetQueued(at: descriptor, backlog: group.backlog)
    if count > 0 { hasLostPlace = true }
    return count
  }

  /// How many clients that have gone may stay in the queue, where they are in nobody's way.
  private static let mostSpent = 128

  /// Whether nobody waits but clients that have closed and never sent anything, where `DeferAcceptSec=` says that clients begin: such a client
  /// makes the socket readable all the same. Only those that come later are reported then.
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
