import Glibc
import GuestSpec
import Linux

// Where new clients wait that a guest on its way out is not to get: at a standby of the same address. A guest that is told to halt
// has no queue to throw away.
//
// | | what is new goes to one or the other by | what waits at the standby one |
// |---|---|---|
// | TCP | a program on their group (`ReuseportSteering`) | moves to the first when the standby is shut down, or closed everywhere |
// | UDP | the same | is read out and sent again; the standby stays, for it is in the group until it is closed everywhere |
// | AF_UNIX, by path | the path, whose files change places | cannot move: the next guest gets the standby |
// | TCP without eBPF | the program | the same |
// | AF_UNIX, abstract; `ReusePort=yes` | nothing: others may share the address | |
//
// What the service manager passed is always the first one, and it is where clients come to when this process ends. When it is killed
// they go on coming to the standby where the service manager's store has that: for the next daemon. Else the kernel moves the queue of
// the standby to the first, as it does with every listener that is closed.
extension Listener {
  /// What became of those that waited apart.
  package struct Unparked {
    package var count = 0
    package var lost = 0
    /// Why some wait apart still.
    package var failure: SystemError?

    package init(count: Int = 0, lost: Int = 0, failure: SystemError? = nil) {
      self.count = count
      self.lost = lost
      self.failure = failure
    }

    static func += (sum: inout Unparked, more: Unparked) {
      sum.count += more.count
      sum.lost += more.lost
      sum.failure = more.failure ?? sum.failure
    }
  }

  /// Leads new clients to the standby. Where that cannot be they go on coming to the guest.
  ///
  /// - Parameters:
  ///   - alarm: hears of what arrives on connections.
  ///   - opened: called with a new standby before anybody can come to it, whether or not there is a place for it then.
  /// - Throws: `SystemError` when there is no place for it: no descriptor, no memory. Nothing has changed then.
  func divert(_ alarm: DataAlarm?, opened: (HeldSocket) -> Void) throws(SystemError) {
    // Where an earlier daemon's leads is not known.
    try regainSteering()
    if isDiverted { return }
    if standby == nil { try openStandbySocket(alarm, opened) }
    if let other { try steer(to: other) }
  }

  private func openStandbySocket(_ alarm: DataAlarm?, _ opened: (HeldSocket) -> Void) throws(SystemError) {
    switch local {
    case .ipv4, .ipv6:
      if group.reusePort { return }
      // What may fail for want of memory comes before a client can come to the standby.
      let program = try ReuseportProgram()
      let other = try HeldSocket(makeStandby(of: primary.descriptor))
      // Who waits there is the guest's connection later.
      if listen.kind == .stream { try alarm?.attach(to: other.descriptor) }
      opened(other)
      try joinStandby(other.descriptor, to: primary.descriptor, backlog: group.backlog)
      steering = try ReuseportSteering(
        primary: primary.descriptor, standby: other.descriptor, steeringTo: .standby, program)
      hasLostPlace = false
      standby = other
      steersToStandby = true
    case .path(let path):
      let other = try HeldSocket(StandbyPath.open(listen.kind.inKernel, path, standbyOptions(path)))
      opened(other)
      standby = other
    case .abstract, .unnamed: return
    }
  }

  /// The service manager may have made its file with another mode and owner than the guest file asks for.
  private func standbyOptions(_ path: String) throws(SystemError) -> SocketOptions {
    var options = try SocketOptions(group)
    if isPassed {
      var status = stat()
      try retrying("lstat \(path)") { lstat(path, &status) }
      (options.mode, options.owner, options.group) = (status.st_mode & 0o7777, status.st_uid, status.st_gid)
    }
    return options
  }

  private func steer(to target: HeldSocket) throws(SystemError) {
    let toStandby = target === standby
    try regainSteering()
    if toStandby == steersToStandby { return }
    switch local {
    case .ipv4, .ipv6:
      if let standby { try steering?.steer(to: toStandby ? .standby : .primary, standby: standby.descriptor) }
    case .path(let path): try StandbyPath.exchange(path)
    case .abstract, .unnamed: return
    }
    steersToStandby = toStandby
  }

  /// Whether those who wait at the standby can be moved to the first.
  private var movesQueue: Bool { listen.kind == .datagram && local.port != nil || steering?.movesQueues == true }

  /// Whether who waits apart can come back to the guest, should it go on (of TCP it is not known before that it cannot, without eBPF).
  var canRestore: Bool { local.port != nil }

  /// Whether somebody waits at the socket that the guest does not have: of a guest that is to go on, only the next one can serve him.
  var isSomebodyParked: Bool { other?.hasInput == true }

  /// Whether somebody waits at either of the two.
  var isSomebodyWaiting: Bool { isSomebodyQueued || isSomebodyParked }
}

// Before the halt.
extension Listener {
  /// Whether somebody waits whom the guest has not accepted yet.
  package var isSomebodyQueued: Bool { socket.hasInput }

  /// Takes those apart too whom the guest has not accepted. It gets a listener that accepts nobody any more (EINVAL), so this is for
  /// the moment before it is told to halt.
  ///
  /// - Parameter halfOpen: whether clients are in their handshake, with whichever of the two.
  /// - Returns: how many were lost; with a failure some wait at the guest's socket still.
  /// - Throws: `SystemError`; all of them do.
  func drainQueue(halfOpen: Bool) throws(SystemError) -> Unparked {
    guard isDiverted, movesQueue, !guestHasStandby else { return Unparked() }
    if listen.kind == .datagram { return try resent(from: socket) }
    if isSomebodyQueued || halfOpen {
      try shutDown(socket.descriptor)
      hasLostPlace = true
    }
    return Unparked()
  }

  /// Sends the datagrams of one socket again, to where clients are led.
  fileprivate func resent(from source: HeldSocket) throws(SystemError) -> Unparked {
    guard source.hasInput else { return Unparked() }
    let done = try resendDatagrams(from: source.descriptor)
    return Unparked(count: done.count, lost: done.lost, failure: done.failure)
  }
}

// After the stop was cancelled, or the guest has gone.
extension Listener {
  /// Leads clients to the guest again, which goes on, and moves those that waited.
  ///
  /// - Returns: how many those were; with a failure some still wait apart.
  /// - Throws: `SystemError`; all of them do.
  func restore() throws(SystemError) -> Unparked {
    try regainSteering()
    if movesQueue { return hasLostPlace ? try repairAndMoveBack() : try moveBack() }
    // Whoever found the standby one waits there for the next guest: the kernel does not move him.
    if isDiverted { try steer(to: socket) }
    return Unparked()
  }

  /// Brings everything in order for the next guest when the last one has gone.
  ///
  /// - Parameter diag: to count whom the kernel cannot move.
  /// - Returns: how many had waited apart, and are there for the next guest.
  /// - Throws: `SystemError`; whoever waits goes on waiting.
  func unparkForNext(_ diag: SockDiag) throws(SystemError) -> Unparked {
    try regainSteering()
    if movesQueue { return try repairAndMoveBack() }
    guard let other else { return Unparked() }
    let waiting = isDiverted ? count(at: other, diag) : 0
    // Who was left over comes first; else who waited apart.
    try choose(socket.hasInput ? socket : other)
    try goHome()
    return Unparked(count: waiting)
  }

  /// The guest that is about to start gets the socket at which somebody waits.
  ///
  /// - Returns: how many were moved to it who could not be when the last one had gone; with a failure some wait apart still.
  /// - Throws: `SystemError` when clients cannot be led there.
  func prepare() throws(SystemError) -> Unparked {
    try regainSteering()
    if movesQueue, standby != nil { return try repairAndMoveBack() }
    if let other, other.hasInput, !socket.hasInput { try choose(other) }
    return Unparked()
  }

  private func repairAndMoveBack() throws(SystemError) -> Unparked {
    _ = try repair()
    if hasLostPlace { try steering?.rejoin(primary: primary.descriptor) }
    hasLostPlace = false
    return try moveBack()
  }

  private func moveBack() throws(SystemError) -> Unparked {
    guard let standby else { return Unparked() }
    try steer(to: primary)
    if listen.kind == .datagram { return try resent(from: standby) }
    let waiting = try acceptQueueLength(of: standby.descriptor)
    // To close it would not be enough, the store may have it too.
    try shutDown(standby.descriptor)
    self.standby = nil
    // The program stays in the kernel: by it that finds where to go with clients whose handshake ends later.
    steering = nil
    return Unparked(count: waiting)
  }

  private func choose(_ chosen: HeldSocket) throws(SystemError) {
    try steer(to: chosen)
    guestHasStandby = chosen === standby
  }

  /// What the service manager passed is where clients have to come to when this process has ended.
  private func goHome() throws(SystemError) {
    if isPassed, guestHasStandby, !socket.hasInput { try choose(primary) }
  }

  /// How many wait at the socket that the guest has, or will get; datagrams count as one.
  package func queued(_ diag: SockDiag) -> Int { count(at: socket, diag) }

  /// A number that cannot be told is no reason to do anything else: it counts as none.
  private func count(at socket: HeldSocket, _ diag: SockDiag) -> Int {
    guard socket.hasInput else { return 0 }
    if listen.kind == .datagram { return 1 }
    if local.port != nil { return (try? acceptQueueLength(of: socket.descriptor)) ?? 0 }
    return (try? diag.unixSocket(inode: socket.inode))??.pending.count ?? 0
  }

  /// Closes the standby for good, with its file; clients come to the first one.
  func dropStandby() {
    if standby == nil { return }
    try? steer(to: primary)
    guestHasStandby = false
    standby = nil
    steering = nil
    if case .path(let path) = local { StandbyPath.remove(path) }
  }

  /// Lets clients come to what the service manager passed: it goes on using that when nobody of ours is there.
  func steerHome() {
    if isPassed { try? steer(to: primary) }
  }

  /// Takes back the standby that an earlier daemon opened, perhaps with clients who come to it still.
  ///
  /// - Returns: false when nobody can come to it any more.
  /// - Throws: `SystemError` when that cannot be told.
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

  /// The steering of an earlier daemon leads on as it did, and nobody can turn it: another one takes its place.
  private func regainSteering() throws(SystemError) {
    guard local.port != nil, steering == nil, let standby else { return }
    steering = try ReuseportSteering(
      primary: primary.descriptor, standby: standby.descriptor, steeringTo: steersToStandby ? .standby : .primary,
      try ReuseportProgram())
    hasLostPlace = false
  }

  /// Finds out where clients come to by a path, after an earlier daemon, and puts the path right at which a killed one left the file of a
  /// standby that is gone.
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
