import GuestSpec
import Linux

// What outlives a daemon: sockets in the service manager's store, and those that an orphan has open.
extension GuestListeners {
  /// Stores the sockets that only this process has. The service manager keeps those that it passed anyway.
  func keepStored(_ listener: Listener, standby: HeldSocket?) {
    store.batch {
      if !listener.isPassed { store.keep(listener.primary, as: stored(listener.primary, .primary, listener)) }
      if let standby { store.keep(standby, as: stored(standby, .standby, listener)) }
    }
  }

  /// Leaves only one of two sockets at a path for the next daemon: the one that clients come to, if nobody waits at the other. The file of
  /// the other would lie beside the path for good if no daemon followed.
  func leaveOne(of listener: Listener) {
    // A client that has connected a datagram socket goes on sending to the same socket, whichever of the two has the path.
    guard case .path(let path) = listener.local, listener.listen.kind != .datagram, let standby = listener.standby,
      store.hasSentAll
    else { return }
    if !listener.steersToStandby {
      if (try? hasInput(standby.descriptor)) == false { forgettingStandby(of: listener) { listener.dropStandby() } }
    } else if !listener.isPassed, (try? hasInput(listener.primary.descriptor)) == false {
      // Steering clients back to the primary would cost those that have looked up the standby and are not in its queue yet.
      store.keep(standby, as: stored(standby, .primary, listener), insteadOf: listener.primary)
      if store.hasSentAll { StandbyPath.remove(path) }
    }
  }

  /// Closes the standby, and removes both sockets from the store.
  func giveUp(_ listener: Listener) {
    forgettingStandby(of: listener) { listener.dropStandby() }
    store.drop(listener.primary)
  }

  /// Removes the standby from the store if `body` closed it.
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
    StoredSocket(
      role, socket, listen: listener.listen, group: listener.group, guest: guest, isConfined: listener.isConfined)
  }

  /// Takes back a socket that an earlier daemon stored. Called for all primary sockets first, then for the standbys.
  ///
  /// - Parameters:
  ///   - socket: the socket.
  ///   - description: what the record in the store says of it.
  ///   - match: the line of the guest's files that asks for its address.
  /// - Returns: false when the guest has no use for the socket.
  /// - Throws: `SystemError` when the kernel does not tell its state.
  package func takeBack(
    _ socket: HeldSocket, _ description: StoredSocket, _ match: PassedSocket.Match
  ) throws(SystemError) -> Bool {
    let there = all.first { $0.listen == match.listen }
    switch description.role {
    case .primary:
      // A stored socket that is not confined although it should be is not used. A new one is made instead, if confinement is possible.
      guard there == nil, description.options == match.group.storedOptions,
        description.isConfined || !match.isConfined
      else { return false }
      let listener = try Listener(socket, as: match.listen, of: match.group, passed: false)
      listener.isConfined = description.isConfined
      add(listener)
    case .standby:
      guard let there, there.standby == nil else { return false }
      return try there.takeBackStandby(socket)
    }
    return true
  }

  /// Takes over a socket of an orphan, whose daemon was killed, if `guest` asks for it and it is not here yet. Finds out, too, which of the
  /// two sockets at a path the orphan has. A listener that is not taken over is bound anew when the orphan is gone.
  package func takeOver(_ descriptor: consuming OwnedFD, _ guest: Guest) {
    if let socket = try? HeldSocket(descriptor) { takeOver(socket, guest) }
  }

  private func takeOver(_ socket: HeldSocket, _ guest: Guest) {
    let found = PassedSocket(socket.descriptor, name: "")
    guard let match = found.match(guest), found.takesClients(socket.descriptor) else { return }
    guard let there = all.first(where: { $0.listen == match.listen }) else {
      if let listener = try? Listener(socket, as: match.listen, of: match.group, passed: false) {
        // The daemon that was killed made it according to the same file.
        listener.isConfined = match.isConfined
        add(listener)
      }
      return
    }
    if there.primary.inode == socket.inode { return }
    // Only a daemon opens a standby, and this daemon has none here.
    if case .path = there.local, there.standby == nil { there.standby = socket }
    there.guestHasStandby = there.standby?.inode == socket.inode
  }

}
