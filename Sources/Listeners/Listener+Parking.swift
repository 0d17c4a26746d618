import Glibc
import GuestSpec
import Linux

// New clients of a stopping guest are parked: they come to a standby, a second socket at the same address. So a guest that is told to
// halt has no clients in its queue that it could drop.
//
// | socket | what steers a new client | what becomes of the clients at the standby |
// |---|---|---|
// | TCP | a program on the reuseport group (`ReuseportSteering`) | the kernel moves them to the primary when the standby is shut down |
// | UDP | the same | their datagrams are read and sent again; the standby stays, as it is in the group until it is closed everywhere |
// | AF_UNIX, by path | the path: the files of the two change places | they cannot be moved: the next instance gets the standby |
// | TCP without eBPF | the program | the same |
// | AF_UNIX, abstract; `ReusePort=yes` | nothing, as others may share the address | |
// | AF_UNIX, in a directory that others may write to | nothing, as they could lead us elsewhere | |
//
// The program needs Linux 5.14 and CAP_BPF, else it is the classic one; sending datagrams again needs CAP_NET_RAW and CAP_NET_ADMIN. A path
// needs CAP_SYS_CHROOT and a file system with RENAME_EXCHANGE, else an idle guest goes on.
//
// A socket that the service manager passed is always the primary, and clients come to it when this process ends. When this process is
// killed, clients go on coming to a standby that is in the service manager's store: the next daemon gets it. Without a store the kernel
// moves the queue of the standby to the primary, as with every listener that is closed.
extension Listener {
  /// What became of parked clients.
  package struct Unparked {
    /// How many were moved to where an instance serves them.
    package var count = 0
    /// How many were lost: datagrams that could not be sent again.
    package var lost = 0
    /// Why some are still parked. Nil: none is.
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

  /// Diverts new clients to the standby. At an address that cannot have a standby they go on coming to the guest.
  ///
  /// - Parameters:
  ///   - alarm: the filter for the connections of a frozen guest.
  ///   - opened: called with a new standby before a client can come to it. The standby may fail after that.
  /// - Returns: whether `awaitLookups` has to follow, because the kernel may still deliver a client to the guest's socket.
  /// - Throws: `SystemError` when there is no descriptor or no memory for it. Nothing has changed then.
  func divert(_ alarm: DataAlarm?, opened: (HeldSocket) -> Void) throws(SystemError) -> Bool {
    // Nobody knows where an earlier daemon's steering leads.
    let hadSteering = steering != nil
    try regainSteering()
    if isDiverted { return !hadSteering && steering != nil }
    if standby == nil { try openStandbySocket(alarm, opened) }
    if let other { _ = try steer(to: other) }
    return steering != nil
  }

  private func openStandbySocket(_ alarm: DataAlarm?, _ opened: (HeldSocket) -> Void) throws(SystemError) {
    switch local {
    case .ipv4, .ipv6:
      if group.reusePort { return }
      // The program may fail for want of memory, so it is made before a client can come to the standby.
      let program = try ReuseportProgram()
      let other = try HeldSocket(makeStandby(of: primary.descriptor, isConfined: isConfined))
      // The clients that wait there are connections of the guest later.
      if listen.kind == .stream { try alarm?.attach(to: other.descriptor) }
      opened(other)
      try joinStandby(other.descriptor, to: primary.descriptor, backlog: group.backlog)
      steering = try ReuseportSteering(
        primary: primary.descriptor, standby: other.descriptor, steeringTo: .standby, program,
        waits: false)
      hasLostPlace = false
      standby = other
      steersToStandby = true
    case .path(let path):
      // This address cannot have a standby, so clients go on coming to the guest.
      if !StandbyPath.isPossible(path) { return }
      let other = try HeldSocket(StandbyPath.open(listen.kind.inKernel, path, standbyOptions(path)))
      opened(other)
      standby = other
    case .abstract, .unnamed: return
    }
  }

  /// The options of the standby at a path. The service manager may have made its file with another mode and owner than the guest file
  /// asks for.
  private func standbyOptions(_ path: String) throws(SystemError) -> SocketOptions {
    var options = try SocketOptions(group)
    options.isConfined = isConfined
    if isPassed {
      var status = stat()
      try retrying("lstat \(path)") { lstat(path, &status) }
      (options.file.mode, options.file.owner, options.file.group) = (
        status.st_mode & 0o7777, status.st_uid, status.st_gid
      )
    }
    return options
  }

  /// - Returns: whether clients were steered elsewhere before. `awaitLookups` has to follow before either socket is scanned or shut down.
  private func steer(to target: HeldSocket) throws(SystemError) -> Bool {
    let toStandby = target === standby
    try regainSteering()
    if toStandby == steersToStandby { return false }
    switch local {
    case .ipv4, .ipv6:
      if let standby {
        try steering?.steer(to: toStandby ? .standby : .primary, standby: standby.descriptor, waits: false)
      }
    case .path(let path): try StandbyPath.exchange(path)
    case .abstract, .unnamed: return false
    }
    steersToStandby = toStandby
    return local.port != nil
  }

  /// Whether clients that wait at the standby can be moved to the primary.
  private var movesQueue: Bool { listen.kind == .datagram && local.port != nil || steering?.movesQueues == true }

  /// Whether parked clients can come back to the guest, should it go on. Of TCP without eBPF it turns out later that they cannot.
  var canRestore: Bool { local.port != nil }

  /// Whether a client waits at the socket that the guest does not have.
  var isSomebodyParked: Bool { other?.hasInput == true }

  /// Whether a client waits at either of the two.
  var isSomebodyWaiting: Bool { isSomebodyQueued || isSomebodyParked }
}

// Before the halt.
extension Listener {
  /// Whether a client waits that the guest has not accepted yet.
  package var isSomebodyQueued: Bool { socket.hasInput }

  /// Moves the clients that the guest has not accepted to the standby. The guest's accept(2) fails with EINVAL from then on, so this is
  /// done just before the guest is told to halt.
  ///
  /// - Parameter halfOpen: whether TCP clients are in their handshake, with either of the two.
  /// - Returns: how many were lost. With a failure some are left in the guest's queue.
  /// - Throws: `SystemError`; all are left in the guest's queue.
  func drainQueue(halfOpen: Bool) throws(SystemError) -> Unparked {
    guard isDiverted, movesQueue, !guestHasStandby else { return Unparked() }
    if listen.kind == .datagram { return try resent(from: socket) }
    if isSomebodyQueued || halfOpen {
      try shutDown(socket.descriptor)
      hasLostPlace = true
    }
    return Unparked()
  }

  /// Sends the datagrams of one socket again: they come to where new clients are steered.
  fileprivate func resent(from source: HeldSocket) throws(SystemError) -> Unparked {
    guard source.hasInput else { return Unparked() }
    let done = try resendDatagrams(from: source.descriptor)
    return Unparked(count: done.count, lost: done.lost, failure: done.failure)
  }
}

// After the stop was cancelled, or the guest is gone.
extension Listener {
  /// Steers clients to the guest again, which goes on, and moves the parked ones there.
  ///
  /// - Returns: how many were moved and lost. With a failure some are still parked.
  /// - Throws: `SystemError`; all are still parked.
  func restore() throws(SystemError) -> Unparked {
    try regainSteering()
    if movesQueue { return hasLostPlace ? try repairAndMoveBack() : try moveBack() }
    // Clients at the standby wait for the next instance: the kernel does not move them.
    if isDiverted { _ = try steer(to: socket) }
    return Unparked()
  }

  /// Gives the parked clients to the next instance, now that the last one is gone.
  ///
  /// - Parameter diag: counts the clients that the kernel cannot move.
  /// - Returns: how many had been parked.
  /// - Throws: `SystemError`; they are still parked.
  func unparkForNext(_ diag: SockDiag) throws(SystemError) -> Unparked {
    try regainSteering()
    if movesQueue { return try repairAndMoveBack() }
    guard let other else { return Unparked() }
    let waiting = isDiverted ? count(at: other, diag) : 0
    // Clients that the last instance left in its queue come first, then the parked ones.
    try choose(socket.hasInput ? socket : other)
    try goHome()
    return Unparked(count: waiting)
  }

  /// Makes the instance that is about to start get the socket at which clients wait.
  ///
  /// - Returns: how many were moved that could not be moved when the last instance was gone. With a failure some are still parked.
  /// - Throws: `SystemError` when clients cannot be steered there.
  func prepare() throws(SystemError) -> Unparked {
    try regainSteering()
    if movesQueue, standby != nil { return try repairAndMoveBack() }
    if let other, other.hasInput, !socket.hasInput { try choose(other) }
    return Unparked()
  }

  private func repairAndMoveBack() throws(SystemError) -> Unparked {
    try rejoin()
    return try moveBack()
  }

  private func rejoin() throws(SystemError) {
    _ = try repair()
    if hasLostPlace { try steering?.rejoin(primary: primary.descriptor) }
    hasLostPlace = false
  }

  /// Steers clients to the primary again, if it can take over the clients at the standby. This is the first half of `restore` and
  /// `unparkForNext`: after it one wait serves all listeners.
  ///
  /// - Parameter repairing: whether no instance has the primary any more, so that what a guest did to it is undone first.
  /// - Returns: as `steer`.
  /// - Throws: `SystemError`; clients may still be steered to the standby.
  func steerBack(repairing: Bool) throws(SystemError) -> Bool {
    try regainSteering()
    guard movesQueue, standby != nil else { return false }
    if repairing || hasLostPlace { try rejoin() }
    return try steer(to: primary)
  }

  private func moveBack() throws(SystemError) -> Unparked {
    guard let standby else { return Unparked() }
    if try steer(to: primary) { awaitLookups() }
    if listen.kind == .datagram { return try resent(from: standby) }
    let waiting = try acceptQueueLength(of: standby.descriptor)
    // To close it would not be enough: the service manager's store may have it too.
    try shutDown(standby.descriptor)
    self.standby = nil
    // The program stays in the kernel, and tells it where to put clients whose handshake ends later.
    steering = nil
    return Unparked(count: waiting)
  }

  private func choose(_ chosen: HeldSocket) throws(SystemError) {
    if try steer(to: chosen) { awaitLookups() }
    guestHasStandby = chosen === standby
  }

  /// Gives the guest the primary again that the service manager passed: clients have to come to that when this process has ended.
  private func goHome() throws(SystemError) {
    if isPassed, guestHasStandby, !socket.hasInput { try choose(primary) }
  }

  /// How many clients wait at the socket that the guest has, or will get. Datagrams count as one.
  package func queued(_ diag: SockDiag) -> Int { count(at: socket, diag) }

  /// 0 when the kernel does not tell the number: it is for statistics.
  private func count(at socket: HeldSocket, _ diag: SockDiag) -> Int {
    guard socket.hasInput else { return 0 }
    if listen.kind == .datagram { return 1 }
    if local.port != nil { return (try? acceptQueueLength(of: socket.descriptor)) ?? 0 }
    return (try? diag.unixSocket(inode: socket.inode))??.queued ?? 0
  }

  /// Closes the standby, and removes its file. Clients come to the primary.
  func dropStandby() {
    if standby == nil { return }
    _ = try? steer(to: primary)
    guestHasStandby = false
    standby = nil
    steering = nil
    if case .path(let path) = local { StandbyPath.remove(path) }
  }

  /// Steers clients to the socket that the service manager passed, which goes on using it when this process has ended.
  func steerHome() {
    if isPassed { _ = try? steer(to: primary) }
  }

  /// Replaces the steering of an earlier daemon: that goes on steering as it did, and nobody can turn it.
  private func regainSteering() throws(SystemError) {
    guard local.port != nil, steering == nil, let standby else { return }
    steering = try ReuseportSteering(
      primary: primary.descriptor, standby: standby.descriptor, steeringTo: steersToStandby ? .standby : .primary,
      try ReuseportProgram())
    hasLostPlace = false
  }
}
