import CLinux
import Glibc

/// Decides which of the two sockets at one address gets new clients: the primary, which a guest holds, or the standby, where they are
/// parked.
///
/// A program on the SO_REUSEPORT group of the two chooses. It affects new clients only: a queued connection, a half-open connection and
/// a queued datagram stay where they are.
///
/// - With CAP_BPF (Linux 5.14) it is an eBPF program that selects from a map of sockets. The indexes in the map are stable, and the kernel
///   also runs the program to choose where the queue of a closed or shut-down listener moves (`movesQueues`). Measured on Linux 6.18:
///   steering takes 0.7 µs. Over 1,500 rounds of diverting, restoring and closing, none of 1,034,357 connections was lost, 1,514 of
///   which were queued at the close. Over 1,500 rounds of a listener being shut down, none of 402,938 was lost, 5,762 of them queued.
/// - Without, it is a classic program that returns an index (10 µs). Then the queue of a closed listener is reset (238 of 210,815
///   connections), unless net.ipv4.tcp_migrate_req is on. Even with that `movesQueues` is false, because a listener that was shut down
///   cannot get its index back (`rejoin`).
///
/// The program belongs to the group, not to this value or this process, and is freed with the last socket of the group. Whoever holds
/// one of the sockets can replace it: it does not protect against a guest. SO_REUSEPORT stays set on the primary. A program that binds
/// the address without the option is refused as before, and one that joins the group with it gets no clients.
public struct ReuseportSteering: ~Copyable, Sendable {
  /// The two sockets, by their index in the group.
  public enum Side: UInt32, Sendable, CaseIterable {
    /// The socket that the guest holds.
    case primary
    /// The daemon's own socket, where clients are parked.
    case standby
  }

  /// Whether the queue of a listener that is closed or shut down moves, with its data, to the side that new clients are steered to.
  ///
  /// Half-open connections move too. It is always false for datagram sockets, whose queues never move.
  public let movesQueues: Bool
  private let map: ReuseportProgram.Map?

  /// Attaches the steering to two sockets that share an address, in place of an earlier one, even of a process that was killed. It steers
  /// to `side`. If the earlier one did that too, no client reaches the other side meanwhile.
  ///
  /// - Parameters:
  ///   - primary: a listener or a datagram socket. It was bound (for TCP: it listened) before `standby`. One that was shut down gets its
  ///     index with `rejoin`.
  ///   - standby: a socket of `makeStandby(of:)` that has joined, the only other socket at the address.
  ///   - side: where new clients are steered.
  ///   - program: loaded before `standby` joined.
  ///   - waits: whether this calls `awaitLookups()` at the end; if false, the caller must.
  /// - Throws: `SystemError` of setsockopt(2): `EINVAL` for a socket that is in no group.
  public init(
    primary: borrowing OwnedFD, standby: borrowing OwnedFD, steeringTo side: Side,
    _ program: consuming ReuseportProgram,
    waits: Bool = true
  ) throws(SystemError) {
    let map = try Self.attach(program, primary, standby, side)
    let hasMap = map != nil
    // If this failed, the clients that have reached the standby by now would be lost with it.
    if !hasMap { try insisting { () throws(SystemError) in try Self.attachIndex(standby, side) } }
    movesQueues = try kind(of: primary) == .stream && hasMap
    self.map = map
    if waits { awaitLookups() }
  }

  /// Steers new clients to `side` from now on. After it returns, nothing arrives at the other side but what completes a half-open
  /// connection there.
  ///
  /// It waits some milliseconds for the packets that other processors handle at this moment. Without that, closing the other side reset
  /// one of 5,000 clients during its handshake.
  /// - Parameters:
  ///   - side: where new clients are steered.
  ///   - standby: the socket that was given to `init`.
  ///   - waits: whether this calls `awaitLookups()` at the end; if false, the caller must.
  /// - Throws: `SystemError` of bpf(2) or setsockopt(2); the steering is unchanged then.
  public func steer(to side: Side, standby: borrowing OwnedFD, waits: Bool = true) throws(SystemError) {
    switch map {
    case .some(let map): try Self.put(map.side, 0, side.rawValue)
    case .none: try Self.attachIndex(standby, side)
    }
    if waits { awaitLookups() }
  }

  /// Gives the primary its index again, once it listens again: it loses the index when somebody shuts it down.
  ///
  /// - Throws: `SystemError`; `ENOTSUP` without eBPF, where the order of the two sockets has changed. Close the standby then and make a
  ///   new one.
  public func rejoin(primary: borrowing OwnedFD) throws(SystemError) {
    switch map {
    case .some(let map): try Self.put(map.sockets, Side.primary.rawValue, UInt32(primary.raw))
    case .none: throw SystemError("restoring a listener's place in its group", errno: ENOTSUP)
    }
  }

  /// - Returns: nil without eBPF, and when one of the sockets is in somebody else's map.
  private static func attach(
    _ program: consuming ReuseportProgram, _ primary: borrowing OwnedFD, _ standby: borrowing OwnedFD, _ side: Side
  ) throws(SystemError) -> ReuseportProgram.Map? {
    guard let map = program.map.take() else { return nil }
    try put(map.side, 0, side.rawValue)
    do throws(SystemError) {
      // A listener that was shut down cannot be in a map.
      let canEnter = try kind(of: primary) == .datagram ? true : isListening(primary)
      if canEnter { try enter(primary, at: .primary, in: map.sockets, steeringTo: side) }
      try enter(standby, at: .standby, in: map.sockets, steeringTo: side)
      let program = map.program.raw
      try insisting { () throws(SystemError) in
        try setOption(standby, SOL_SOCKET, LINUX_SO_ATTACH_REUSEPORT_EBPF, program, named: "SO_ATTACH_REUSEPORT_EBPF")
      }
    } catch {
      guard error.errno == EBUSY || error.errno == EINVAL else { throw error }
      return nil
    }
    return map
  }

  /// Enters a socket in the map. A socket can be in one map only, and an earlier map is freed with its program. So a classic program that
  /// also steers to `side` replaces the earlier one first. With an empty map, or without a program, the kernel would choose by a hash.
  ///
  /// - Throws: `EBUSY` for a socket that is in somebody else's map.
  private static func enter(
    _ socket: borrowing OwnedFD, at index: Side, in sockets: borrowing OwnedFD, steeringTo side: Side
  ) throws(SystemError) {
    let mostGracePeriods = 50
    for attempt in 0..<mostGracePeriods {
      do throws(SystemError) {
        return try put(sockets, index.rawValue, UInt32(socket.raw))
      } catch {
        guard error.errno == EBUSY else { throw error }
      }
      if attempt == 0 { try insisting { () throws(SystemError) in try attachIndex(socket, side) } }
      // The kernel frees the map of the replaced program some grace periods later.
      awaitLookups()
    }
    throw SystemError("bpf BPF_MAP_UPDATE_ELEM", errno: EBUSY)
  }

  private static func put(_ map: borrowing OwnedFD, _ key: UInt32, _ value: UInt32) throws(SystemError) {
    let raw = map.raw
    try retrying("bpf BPF_MAP_UPDATE_ELEM") { linux_bpf_put(raw, key, value) }
  }

  /// Attaches a classic program that returns an index (BPF_RET | BPF_K): the kernel counts the members in the order in which they joined.
  private static func attachIndex(_ member: borrowing OwnedFD, _ side: Side) throws(SystemError) {
    let raw = member.raw
    var instruction = sock_filter(code: 0x06, jt: 0, jf: 0, k: side.rawValue)
    try retrying("setsockopt SO_ATTACH_REUSEPORT_CBPF") {
      withUnsafeMutablePointer(to: &instruction) { instruction in
        var program = sock_fprog(len: 1, filter: instruction)
        return setsockopt(
          raw, SOL_SOCKET, LINUX_SO_ATTACH_REUSEPORT_CBPF, &program, socklen_t(MemoryLayout<sock_fprog>.size))
      }
    }
  }
}

/// Waits until no processor still handles a packet whose socket it chose before the call.
///
/// The kernel chooses a packet's socket and delivers the packet in one RCU read-side critical section. MEMBARRIER_CMD_GLOBAL waits for
/// all of these, for some milliseconds. A kernel that does not support it (one that uses CONFIG_NO_HZ_FULL) leaves a race of microseconds.
public func awaitLookups() { _ = linux_membarrier_global() }

/// Runs `awaitLookups()` on another thread, and signals when it has returned.
public struct LookupsAwaited: ~Copyable {
  /// An eventfd(2). It becomes readable when a wait that `begin` started is over, and stays readable until `end`.
  public let descriptor: OwnedFD

  /// - Throws: `SystemError` of eventfd(2).
  public init() throws(SystemError) { descriptor = OwnedFD(owning: try retrying("eventfd") { linux_make_counter() }) }

  /// Starts a wait on the other thread, and returns at once.
  public func begin() { linux_membarrier_elsewhere(descriptor.raw) }

  /// Makes `descriptor` unreadable again, after a wait is over.
  public func end() { _ = linux_read_counter(descriptor.raw) }
}
