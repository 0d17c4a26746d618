import CLinux
import Glibc

/// Which of the two sockets at one address gets what is new: the one that a guest has, or one where it waits meanwhile.
///
/// A program on the group that the two form (SO_REUSEPORT) chooses. It concerns what is new only: a connection in a listener's
/// queue, a half-open one, a datagram stay where they are.
///
/// - With CAP_BPF (Linux 5.14) it is an eBPF program that picks from a map of sockets. Its places are stable, and the kernel
///   asks it also where to go with the queue of a listener that is closed or shut down (`movesQueues`). Measured on 6.18: a turn
///   takes 0.7 µs; no connection was lost of 1,034,357 over 1,500 times of standby, turning back and closing, with 1,514 queued at
///   the close; none of 402,938 over 1,500 times of a shut-down listener with 5,762 queued.
/// - Without, it is a classic program that returns an index (10 µs). Then the queue of a listener that is closed is reset (238 of
///   210,815), unless net.ipv4.tcp_migrate_req is on; also then nothing is moved by it, for a listener that was shut down cannot have its
///   place back (`restore`).
///
/// The program belongs to the group, not to this value or this process, and goes with the last socket of the group. Who has one of the
/// sockets can replace it: this is no fence against a guest. SO_REUSEPORT stays on the guest's: whoever binds without it is refused as
/// ever, and who joins with it gets nothing.
public struct ReuseportSteering: ~Copyable, Sendable {
  /// The two sockets, by their places in the group.
  public enum Side: UInt32, Sendable, CaseIterable {
    /// The first socket: a guest has it.
    case primary
    /// The second: nobody takes from it.
    case standby
  }

  /// Whether what is queued at a listener that is closed or shut down moves, with its data, to the one that the gate leads to.
  ///
  /// Half-open connections move too. Always false for datagrams: none of theirs ever moves.
  public let movesQueues: Bool
  private let map: ReuseportProgram.Map?

  /// Puts a gate before two sockets that share an address, in place of any that is there, also of a process that was killed. It leads
  /// to `side`; when the one before did so nothing has come to the other meanwhile.
  ///
  /// - Parameters:
  ///   - primary: a listener, or a socket for datagrams. It was bound (for TCP: listened) before `standby` was. One that was shut down
  ///     gets its place by `restore`.
  ///   - standby: a socket of `makeStandby(of:)` that has joined, the only other one at the address.
  ///   - side: where the gate leads.
  ///   - program: made before `standby` was.
  /// - Throws: `SystemError` of setsockopt(2): `EINVAL` for a socket that is in no group.
  public init(
    primary: borrowing OwnedFD, standby: borrowing OwnedFD, steeringTo side: Side, _ program: consuming ReuseportProgram
  ) throws(SystemError) {
    let map = try Self.attach(program, primary, standby, side)
    let hasMap = map != nil
    // Whoever has come to the second socket by now would be lost with it.
    if !hasMap { try insisting { () throws(SystemError) in try Self.attachIndex(standby, side) } }
    movesQueues = try kind(of: primary) == .stream && hasMap
    self.map = map
    awaitLookups()
  }

  /// Leads to `side` what comes from now on. When it returns nothing more arrives at the other side, but what completes a
  /// half-open connection there.
  ///
  /// It waits some milliseconds for what other processors are about at this moment: without that, closing the other side reset
  /// one of 5,000 clients in its handshake.
  /// - Parameters:
  ///   - side: where the gate is to lead.
  ///   - standby: as given to `init`.
  /// - Throws: `SystemError` of bpf(2) or setsockopt(2); the gate leads where it led before.
  public func steer(to side: Side, standby: borrowing OwnedFD) throws(SystemError) {
    switch map {
    case .some(let map): try Self.put(map.side, 0, side.rawValue)
    case .none: try Self.attachIndex(standby, side)
    }
    awaitLookups()
  }

  /// Gives the guest's listener its place again, which it loses when somebody shuts it down, after it listens again.
  ///
  /// - Throws: `SystemError`; `ENOTSUP` without eBPF, where the order of the two has changed: close the standby one, and begin anew.
  public func rejoin(primary: borrowing OwnedFD) throws(SystemError) {
    switch map {
    case .some(let map): try Self.put(map.sockets, Side.primary.rawValue, UInt32(primary.raw))
    case .none: throw SystemError("restoring a listener's place in its group", errno: ENOTSUP)
    }
  }

  /// - Returns: nil for a classic program, and when a socket is in somebody else's map.
  private static func attach(
    _ program: consuming ReuseportProgram, _ primary: borrowing OwnedFD, _ standby: borrowing OwnedFD, _ side: Side
  ) throws(SystemError) -> ReuseportProgram.Map? {
    guard let map = program.map.take() else { return nil }
    try put(map.side, 0, side.rawValue)
    do throws(SystemError) {
      // One that was shut down is in no map.
      let isThere = try kind(of: primary) == .datagram ? true : isListening(primary)
      if isThere { try enter(primary, as: .primary, in: map.sockets, steeringTo: side) }
      try enter(standby, as: .standby, in: map.sockets, steeringTo: side)
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

  /// A socket can be in one such map only, and a map that is there already goes with its program. So a classic one is put in its place
  /// first, which leads to `side` too: by a program with an empty map, or by none, the kernel would choose by a hash.
  ///
  /// - Throws: `EBUSY` for a socket that is in somebody else's map.
  private static func enter(
    _ socket: borrowing OwnedFD, as place: Side, in sockets: borrowing OwnedFD, steeringTo side: Side
  ) throws(SystemError) {
    let mostGracePeriods = 50
    for attempt in 0..<mostGracePeriods {
      do throws(SystemError) {
        return try put(sockets, place.rawValue, UInt32(socket.raw))
      } catch {
        guard error.errno == EBUSY else { throw error }
      }
      if attempt == 0 { try insisting { () throws(SystemError) in try attachIndex(socket, side) } }
      // The map of the program that was replaced goes some grace periods later.
      awaitLookups()
    }
    throw SystemError("bpf BPF_MAP_UPDATE_ELEM", errno: EBUSY)
  }

  private static func put(_ map: borrowing OwnedFD, _ key: UInt32, _ value: UInt32) throws(SystemError) {
    let raw = map.raw
    try retrying("bpf BPF_MAP_UPDATE_ELEM") { linux_bpf_put(raw, key, value) }
  }

  /// BPF_RET | BPF_K: the index of a member, in the order in which they joined.
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

/// Returns when no processor is any more about a packet whose socket it chose before the call.
///
/// Packets are looked up and delivered in one read section of RCU, and MEMBARRIER_CMD_GLOBAL waits for all of those: some
/// milliseconds. A kernel without it (CONFIG_NO_HZ_FULL in use) leaves the race open, which is microseconds wide.
func awaitLookups() { _ = linux_membarrier_global() }
