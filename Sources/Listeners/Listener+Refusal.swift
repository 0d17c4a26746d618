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

  /// If only clients wait that have left, ignores them and reports only clients that come later: those whom the last instance did not
  /// accept, and, with `DeferAcceptSec=`, those that have closed and never sent anything. They make the socket readable although nobody
  /// needs an answer.
  ///
  /// - Parameter diag: tells the state of the clients.
  /// - Returns: whether there are only such clients.
  func ignoreSpent(_ diag: SockDiag) -> Bool {
    if local.port == nil { return ignoreGone(diag) }
    let isDeferred = group.deferAccept != nil
    guard isDeferred || !gone.isEmpty, tcpPort != nil, !isSomebodyParked, let queued = try? unaccepted(diag)
    else { return false }
    let hasLeft =
      isDeferred
      ? queued.allSatisfy { $0.isSpent || gone.contains($0) }
      : gone.areAll(queued: queued, length: self.queued(diag))
    guard hasLeft else { return false }
    if queued.count > Self.mostSpent { _ = try? refuseQueued() }
    watchArrivals()
    return true
  }

  /// As `ignoreSpent`, for the clients that have left the queue of an AF_UNIX socket.
  private func ignoreGone(_ diag: SockDiag) -> Bool {
    guard !gone.isEmpty, !isSomebodyParked, let pending = pending(diag), gone.areAll(pending: pending) else {
      return false
    }
    watchArrivals()
    return true
  }

  /// Records who has left, just before the guest is told to halt: it served, and has not accepted them.
  func recordGone(_ diag: SockDiag) {
    gone = GoneClients()
    // The kernel does not tell the parked clients of TCP, of whom the guest knows nothing, from the others.
    guard listen.kind != .datagram, isAdopted != false, isSomebodyQueued, !isSomebodyParked else { return }
    if local.port == nil {
      gone = GoneClients(pending: pending(diag) ?? [])
    } else if let queued = try? unaccepted(diag) {
      gone = GoneClients(queued: queued, length: self.queued(diag))
    }
  }

  /// The clients in the queue of an AF_UNIX socket, 0 for each that is gone. Nil when there are none, or too many for the kernel to list.
  private func pending(_ diag: SockDiag) -> [UInt32]? {
    guard let pending = (try? diag.unixSockets())?.first(where: { $0.inode == inode })?.pending else { return nil }
    return pending.isEmpty ? nil : pending
  }

  /// The connections in the queue, but those that were reset.
  private func unaccepted(_ diag: SockDiag) throws(SystemError) -> [TCPConnection] {
    try diag.tcpConnections(at: [local]).filter {
      $0.inode == 0 && ($0.state == .established || $0.state == .closeWait) && local.accepts(at: $0.local)
    }
  }
}
