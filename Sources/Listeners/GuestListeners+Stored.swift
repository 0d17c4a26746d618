import GuestSpec
import Linux

// What outlives a daemon: in the service manager's store, and in the hands of a guest that a killed one left.
extension GuestListeners {
  /// Gives the service manager a descriptor of what only this process has. What it passed is its own anyhow.
  func keepStored(_ listener: Listener, standby: HeldSocket?) {
    store.batch {
      if !listener.isPassed { store.keep(listener.primary, as: stored(listener.primary, .primary, listener)) }
      if let standby { store.keep(standby, as: stored(standby, .standby, listener)) }
    }
  }

  /// Leaves the next daemon of two sockets at a path the one that clients come to, when nobody waits at the other: whose file would lie
  /// beside the path for good should no daemon follow.
  func leaveOne(of listener: Listener) {
    // Who has connected a socket for datagrams sends to where he did that, whichever has the path.
    guard case .path(let path) = listener.local, listener.listen.kind != .datagram, let standby = listener.standby,
      store.hasSentAll
    else { return }
    if !listener.steersToStandby {
      if (try? hasInput(standby.descriptor)) == false { forgettingStandby(of: listener) { listener.dropStandby() } }
    } else if !listener.isPassed, (try? hasInput(listener.primary.descriptor)) == false {
      // To lead clients back to the first would be one moment more in which somebody has found a socket and is not in its queue yet.
      store.keep(standby, as: stored(standby, .primary, listener), insteadOf: listener.primary)
      if store.hasSentAll { StandbyPath.remove(path) }
    }
  }

  /// Closes the standby for good, and has the service manager forget both.
  func giveUp(_ listener: Listener) {
    forgettingStandby(of: listener) { listener.dropStandby() }
    store.drop(listener.primary)
  }

  /// Has the service manager forget the standby when `body` gave it up.
  func forgettingStandby<Result, Failure: Error>(
    of listener: Listener, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let standby = listener.standby
    defer {
      if let standby, listener.standby == nil { store.drop(standby) }
    }
    return try body()
  }

  private func stored(_ socket: HeldSocket, _ role: StoredSocket.Role, _ listener: Listener) -> StoredSocket {
    StoredSocket(role, socket, listen: listener.listen, group: listener.group, guest: guest)
  }

  /// Takes back what an earlier daemon put into the store. Second sockets come after all first ones.
  ///
  /// - Returns: false when the guest has no place for it.
  /// - Throws: `SystemError` when it is no socket.
  package func takeBack(
    _ socket: HeldSocket, _ description: StoredSocket, _ match: PassedSocket.Match
  ) throws(SystemError) -> Bool {
    let there = all.first { $0.listen == match.listen }
    switch description.role {
    case .primary:
      guard there == nil, description.options == match.group.storedOptions else { return false }
      add(try Listener(socket, as: match.listen, of: match.group, passed: false))
    case .standby:
      guard let there, there.standby == nil else { return false }
      return try there.takeBackStandby(socket)
    }
    return true
  }

  /// Takes over a socket of an orphan, which has those of the daemon that was killed: when it is wanted and not here yet. Finds out which
  /// of the two at a path the orphan has. A listener that nobody takes over is bound anew when the orphan is gone.
  package func takeOver(_ descriptor: consuming OwnedFD, _ guest: Guest) {
    if let socket = try? HeldSocket(descriptor) { takeOver(socket, guest) }
  }

  private func takeOver(_ socket: HeldSocket, _ guest: Guest) {
    let found = PassedSocket(socket.descriptor, name: "")
    guard let match = found.match(guest), found.takesClients(socket.descriptor) else { return }
    guard let there = all.first(where: { $0.listen == match.listen }) else {
      if let listener = try? Listener(socket, as: match.listen, of: match.group, passed: false) { add(listener) }
      return
    }
    if there.primary.inode == socket.inode { return }
    // Nobody else has a standby one.
    if case .path = there.local, there.standby == nil { there.standby = socket }
    there.guestHasStandby = there.standby?.inode == socket.inode
  }

}
