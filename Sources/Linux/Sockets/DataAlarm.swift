import CLinux
import Glibc

/// Tells when something arrives on a TCP connection that a frozen guest has: data, its end, or its reset.
///
/// An eBPF socket filter on the listener, which the kernel gives to every connection that is made by it from then on. It lets all
/// pass, and writes to a ring when it is armed. Connections that are older have no filter. The daemon needs CAP_BPF (and Linux 5.8).
public final class DataAlarm {
  /// Readable when something arrived while it was armed, until `disarm`.
  public let descriptor: OwnedFD
  private let armed: OwnedFD
  private let program: OwnedFD

  /// - Throws: `SystemError` of bpf(2): `EPERM` without the capability.
  public init() throws(SystemError) {
    let armed = OwnedFD(
      owning: try retrying("bpf BPF_MAP_CREATE") { linux_bpf_make_map(BPF_MAP_TYPE_ARRAY.rawValue, 1) })
    let ring = OwnedFD(owning: try retrying("bpf BPF_MAP_CREATE") { linux_bpf_make_ring(UInt32(getpagesize())) })
    let instructions = Self.instructions(armed: armed.raw, ring: ring.raw)
    program = OwnedFD(
      owning: try retrying("bpf BPF_PROG_LOAD") { linux_bpf_load_filter(instructions, UInt32(instructions.count)) })
    self.armed = armed
    descriptor = ring
  }

  /// Lets it hear of the connections that will be made by `listener`, in place of any filter that is there.
  ///
  /// - Throws: `SystemError` of setsockopt(2).
  public func attach(to listener: borrowing OwnedFD) throws(SystemError) {
    try setOption(listener, SOL_SOCKET, LINUX_SO_ATTACH_BPF, program.raw, named: "SO_ATTACH_BPF")
  }

  /// Takes the filter off a listener; one that has none is no error.
  public static func detach(from listener: borrowing OwnedFD) {
    try? setOption(listener, SOL_SOCKET, SO_DETACH_FILTER, Int32(0), named: "SO_DETACH_FILTER")
  }

  /// From now on the first thing that arrives is told, once.
  ///
  /// - Throws: `SystemError` of bpf(2).
  public func arm() throws(SystemError) { try set(1) }

  /// Nothing is told any more, and what was told is forgotten.
  ///
  /// - Throws: `SystemError` of bpf(2) or mmap(2).
  public func disarm() throws(SystemError) {
    try set(0)
    let raw = descriptor.raw
    try retrying("mmap of a ring") { linux_bpf_empty_ring(raw) }
  }

  private func set(_ value: UInt32) throws(SystemError) {
    let raw = armed.raw
    try retrying("bpf BPF_MAP_UPDATE_ELEM") { linux_bpf_put(raw, 0, value) }
  }

  /// A packet begins with its TCP header here.
  private static func instructions(armed: Int32, ring: Int32) -> [UInt64] {
    let (armed, ring) = (UInt64(armed), UInt64(ring))
    return [
      instruction(0xbf, 6, 1),  // r6 = r1, the packet
      instruction(0x18, 9, 2, value: armed), 0,  // r9 = where the map has its value
      instruction(0x61, 2, 9),  // r2 = what is there
      instruction(0x15, 2, 0, offset: 24),  // not armed: pass
      instruction(0x7a, 10, 0, offset: -8),  // eight bytes of 0 on the stack
      instruction(0xbf, 1, 6),
      instruction(0xb7, 2, 0, value: 12),
      instruction(0xbf, 3, 10),
      instruction(0x07, 3, 0, value: 0xffff_fff8),  // r3 = the stack less 8
      instruction(0xb7, 4, 0, value: 2),
      instruction(0x85, 0, 0, value: 26),  // bpf_skb_load_bytes: the header's length, and its flags
      instruction(0x55, 0, 0, offset: 16),  // no such header: pass
      instruction(0x71, 7, 10, offset: -8),
      instruction(0x77, 7, 0, value: 4),
      instruction(0x67, 7, 0, value: 2),  // r7 = the header's length in bytes
      instruction(0x71, 8, 10, offset: -7),
      instruction(0x57, 8, 0, value: 0x05),  // FIN or RST
      instruction(0x55, 8, 0, offset: 2),  // one of them: tell
      instruction(0x61, 2, 6),  // r2 = the packet's length
      instruction(0xbd, 2, 7, offset: 8),  // no more than its header: pass
      instruction(0x62, 9, 0),  // told once: no longer armed
      instruction(0x18, 1, 1, value: ring), 0,
      instruction(0xbf, 2, 10),
      instruction(0x07, 2, 0, value: 0xffff_fff8),
      instruction(0xb7, 3, 0, value: 8),
      instruction(0xb7, 4, 0, value: 2),  // BPF_RB_FORCE_WAKEUP
      instruction(0x85, 0, 0, value: 130),  // bpf_ringbuf_output
      instruction(0xb4, 0, 0, value: 0xffff_ffff),  // the whole packet passes
      instruction(0x95, 0, 0),
    ]
  }
}
