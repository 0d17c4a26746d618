import Glibc
import GuestSpec
import Linux

// Where new clients wait that a guest on its way out is not to get: at a second socket of the same address. A guest that is told to halt
// has no queue to throw away.
//
// | | what is new goes to one or the other by | what waits at the second one |
// |---|---|---|
// | TCP | a program on their group (`ReuseportGate`) | moves to the first when the second is shut down, or closed everywhere |
// | UDP | the same | is read out and sent again; the second stays, for it is in the group until it is closed everywhere |
// | AF_UNIX, by path | the path, whose files change places | cannot move: the next guest gets the second socket |
// | TCP without eBPF | the program | the same |
// | AF_UNIX, abstract; `ReusePort=yes` | nothing: others may share the address | |
//
// What the service manager passed is always the first one, and it is where clients come to when this process ends. When it is killed
// they go on coming to the second where the service manager's store has that: for the next daemon. Else the kernel moves the queue of
// the second to the first, as it does with every listener that is closed.
extension Listener {
  /// What became of those that waited apart.
  struct LedBack {
    var count = 0
    var lost = 0
    /// Why some wait apart still.
    var failure: SystemError?

    static func += (sum: inout LedBack, more: LedBack) {
      sum.count += more.count
      sum.lost += more.lost
      sum.failure = more.failure ?? sum.failure
    }
  }

  /// Leads new clients to the second socket. Where that cannot be they go on coming to the guest.
  ///
  /// - Parameters:
  ///   - alarm: hears of what arrives on connections.
  ///   - opened: called with a new second socket before anybody can come to it, whether or not there is a place for it then.
  /// - Throws: `SystemError` when there is no place for it: no descriptor, no memory. Nothing has changed then.
  func leadApart(_ alarm: DataAlarm?, opened: (HeldSocket) -> Void) throws(SystemError) {
    // Where an earlier daemon's leads is not known.
    try regainGate()
    if isApart { return }
    if second == nil { try openSecond(alarm, opened) }
    if let twin { try lead(to: twin) }
  }

  private func openSecond(_ alarm: DataAlarm?, _ opened: (HeldSocket) -> Void) throws(SystemError) {
    switch local {
    case .ipv4, .ipv6:
      if group.reusePort { return }
      // What may fail for want of memory comes before a client can come to the second socket.
      let program = try ReuseportProgram()
      let twin = try HeldSocket(makeTwin(of: first.descriptor))
      // Who waits there is the guest's connection later.
      if listen.kind == .stream { try alarm?.attach(to: twin.descriptor) }
      opened(twin)
      try joinTwin(twin.descriptor, to: first.descriptor, backlog: group.backlog)
      gate = try ReuseportGate(guest: first.descriptor, parking: twin.descriptor, leadingTo: .parking, program)
      hasLostPlace = false
      second = twin
      leadsToSecond = true
    case .path(let path):
      let twin = try HeldSocket(PathTwin.open(listen.kind.inKernel, path, secondOptions(path)))
      opened(twin)
      second = twin
    case .abstract, .unnamed: return
    }
  }

  /// The service manager may have made its file with another mode and owner than the guest file asks for.
  private func secondOptions(_ path: String) throws(SystemError) -> SocketOptions {
    var options = try SocketOptions(group)
    if isPassed {
      var status = stat()
      try retrying("lstat \(path)") { lstat(path, &status) }
      (options.mode, options.owner, options.group) = (status.st_mode & 0o7777, status.st_uid, status.st_gid)
    }
    return options
  }

  private func lead(to target: HeldSocket) throws(SystemError) {
    let toSecond = target === second
    try regainGate()
    if toSecond == leadsToSecond { return }
    switch local {
    case .ipv4, .ipv6:
      if let second { try gate?.lead(to: toSecond ? .parking : .guest, parking: second.descriptor) }
    case .path(let path): try PathTwin.exchange(path)
    case .abstract, .unnamed: return
    }
    leadsToSecond = toSecond
  }

  /// Whether those who wait at the second socket can be moved to the first.
  private var moves: Bool { listen.kind == .datagram && local.port != nil || gate?.movesQueues == true }

  /// Whether who waits apart can come back to the guest, should it go on (of TCP it is not known before that it cannot, without eBPF).
  var returns: Bool { local.port != nil }

  /// Whether somebody waits at the socket that the guest does not have: of a guest that is to go on, only the next one can serve him.
  var isSomebodyStranded: Bool { twin?.hasInput == true }

  /// Whether somebody waits at either of the two.
  var isSomebodyWaiting: Bool { isSomebodyQueued || isSomebodyStranded }
}

// Before the halt.
extension Listener {
  /// Whether somebody waits whom the guest has not accepted yet.
  var isSomebodyQueued: Bool { socket.hasInput }

  /// Takes those apart too whom the guest has not accepted. It gets a listener that accepts nobody any more (EINVAL), so this is for
  /// the moment before it is told to halt.
  ///
  /// - Parameter halfOpen: whether clients are in their handshake, with whichever of the two.
  /// - Returns: how many were lost; with a failure some wait at the guest's socket still.
  /// - Throws: `SystemError`; all of them do.
  func takeQueue(halfOpen: Bool) throws(SystemError) -> LedBack {
    guard isApart, moves, !guestHasSecond else { return LedBack() }
    if listen.kind == .datagram { return try returned(from: socket) }
    if isSomebodyQueued || halfOpen {
      try shutDown(socket.descriptor)
      hasLostPlace = true
    }
    return LedBack()
  }

  /// Sends the datagrams of one socket again, to where clients are led.
  fileprivate func returned(from source: HeldSocket) throws(SystemError) -> LedBack {
    guard source.hasInput else { return LedBack() }
    let done = try returnDatagrams(from: source.descriptor)
    return LedBack(count: done.count, lost: done.lost, failure: done.failure)
  }
}

// After the stop was cancelled, or the guest has gone.
extension Listener {
  /// Leads clients to the guest again, which goes on, and moves those that waited.
  ///
  /// - Returns: how many those were; with a failure some still wait apart.
  /// - Throws: `SystemError`; all of them do.
  func leadBack() throws(SystemError) -> LedBack {
    try regainGate()
    if moves { return hasLostPlace ? try repairAndMoveBack() : try moveBack() }
    // Whoever found the second one waits there for the next guest: the kernel does not move him.
    if isApart { try lead(to: socket) }
    return LedBack()
  }

  /// Brings everything in order for the next guest when the last one has gone.
  ///
  /// - Parameter diag: to count whom the kernel cannot move.
  /// - Returns: how many had waited apart, and are there for the next guest.
  /// - Throws: `SystemError`; whoever waits goes on waiting.
  func settle(_ diag: SockDiag) throws(SystemError) -> LedBack {
    try regainGate()
    if moves { return try repairAndMoveBack() }
    guard let twin else { return LedBack() }
    let waiting = isApart ? count(at: twin, diag) : 0
    // Who was left over comes first; else who waited apart.
    try choose(socket.hasInput ? socket : twin)
    try goHome()
    return LedBack(count: waiting)
  }

  /// The guest that is about to start gets the socket at which somebody waits.
  ///
  /// - Returns: how many were moved to it who could not be when the last one had gone; with a failure some wait apart still.
  /// - Throws: `SystemError` when clients cannot be led there.
  func prepare() throws(SystemError) -> LedBack {
    try regainGate()
    if moves, second != nil { return try repairAndMoveBack() }
    if let twin, twin.hasInput, !socket.hasInput { try choose(twin) }
    return LedBack()
  }

  private func repairAndMoveBack() throws(SystemError) -> LedBack {
    _ = try repair()
    if hasLostPlace { try gate?.restore(guest: first.descriptor) }
    hasLostPlace = false
    return try moveBack()
  }

  private func moveBack() throws(SystemError) -> LedBack {
    guard let second else { return LedBack() }
    try lead(to: first)
    if listen.kind == .datagram { return try returned(from: second) }
    let waiting = try acceptQueueLength(of: second.descriptor)
    // To close it would not be enough, the store may have it too.
    try shutDown(second.descriptor)
    self.second = nil
    // The program stays in the kernel: by it that finds where to go with clients whose handshake ends later.
    gate = nil
    return LedBack(count: waiting)
  }

  private func choose(_ chosen: HeldSocket) throws(SystemError) {
    try lead(to: chosen)
    guestHasSecond = chosen === second
  }

  /// What the service manager passed is where clients have to come to when this process has ended.
  private func goHome() throws(SystemError) {
    if isPassed, guestHasSecond, !socket.hasInput { try choose(first) }
  }

  /// How many wait at the socket that the guest has, or will get; datagrams count as one.
  func queued(_ diag: SockDiag) -> Int { count(at: socket, diag) }

  /// A number that cannot be told is no reason to do anything else: it counts as none.
  private func count(at socket: HeldSocket, _ diag: SockDiag) -> Int {
    guard socket.hasInput else { return 0 }
    if listen.kind == .datagram { return 1 }
    if local.port != nil { return (try? acceptQueueLength(of: socket.descriptor)) ?? 0 }
    return (try? diag.unixSocket(inode: socket.inode))??.pending.count ?? 0
  }

  /// Closes the second socket for good, with its file; clients come to the first one.
  func dropSecond() {
    if second == nil { return }
    try? lead(to: first)
    guestHasSecond = false
    second = nil
    gate = nil
    if case .path(let path) = local { PathTwin.remove(path) }
  }

  /// Lets clients come to what the service manager passed: it goes on using that when nobody of ours is there.
  func leadHome() {
    if isPassed { try? lead(to: first) }
  }

  /// Takes back the second socket that an earlier daemon opened, perhaps with clients who come to it still.
  ///
  /// - Returns: false when nobody can come to it any more.
  /// - Throws: `SystemError` when that cannot be told.
  func takeBackSecond(_ socket: HeldSocket) throws(SystemError) -> Bool {
    switch local {
    case .ipv4, .ipv6:
      if listen.kind == .stream, try !isListening(socket.descriptor) { return false }
      leadsToSecond = true
    case .path: break  // `recoverPath` finds out
    case .abstract, .unnamed: return false
    }
    second = socket
    return true
  }

  /// The gate of an earlier daemon leads on as it did, and nobody can turn it: another one takes its place.
  private func regainGate() throws(SystemError) {
    guard local.port != nil, gate == nil, let second else { return }
    gate = try ReuseportGate(
      guest: first.descriptor, parking: second.descriptor, leadingTo: leadsToSecond ? .parking : .guest,
      try ReuseportProgram())
    hasLostPlace = false
  }

  /// Finds out where clients come to by a path, after an earlier daemon, and puts the path right at which a killed one left the file of a
  /// second socket that is gone.
  ///
  /// - Throws: `SystemError` of sock_diag(7) or renameat2(2).
  func recoverPath(_ diag: SockDiag) throws(SystemError) {
    guard case .path(let path) = local else { return }
    if let second {
      leadsToSecond = try diag.isReached(second.descriptor, by: path)
      return
    }
    guard PathTwin.exists(path) else { return }
    if try !diag.isReached(first.descriptor, by: path) { try PathTwin.exchange(path) }
    PathTwin.remove(path)
  }
}
