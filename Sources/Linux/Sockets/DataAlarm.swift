import CLinux
import Glibc

/// Reports that something arrives on a TCP connection of a frozen guest: data, a FIN or a reset.
///
/// It is an eBPF socket filter on the listener, which the kernel copies to every connection that the listener accepts from then on. The
/// filter passes every packet, and writes to a ring buffer while the alarm is armed. Older connections have no filter. The daemon needs
/// CAP_BPF (and Linux 5.8).
public final class DataAlarm {
  /// Readable once something has arrived while the alarm was armed, until `disarm`.
  public let descriptor: OwnedFD
  private let armed: OwnedFD
  private let program: OwnedFD

  /// Loads the filter, not armed.
  ///
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

  /// Attaches the filter to the connections that `listener` accepts from now on, in place of any other filter.
  ///
  /// - Throws: `SystemError` of setsockopt(2).
  public func attach(to listener: borrowing OwnedFD) throws(SystemError) {
    try setOption(listener, SOL_SOCKET, LINUX_SO_ATTACH_BPF, program.raw, named: "SO_ATTACH_BPF")
  }

  /// Removes the filter from a listener. That it has none is no error.
  public static func detach(from listener: borrowing OwnedFD) {
    try? setOption(listener, SOL_SOCKET, SO_DETACH_FILTER, Int32(0), named: "SO_DETACH_FILTER")
  }

  /// Reports the first thing that arrives from now on, once.
  ///
  /// - Throws: `SystemError` of bpf(2).
  public func arm() throws(SystemError) { try set(1) }

  /// Stops reporting, and discards what was reported.
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

  /// The program of the filter. For a socket filter of TCP, a packet begins with its TCP header.
  private static func instructions(armed: Int32, ring: Int32) -> [UInt64] {
    let (armed, ring) = (UInt64(armed), UInt64(ring))
    return [
      instruction(0xbf, 6, 1),  // r6 = r1, the packet
      instruction(0x18, 9, 2, value: armed), 0,  // r9 = the address of the map's value
      instruction(0x61, 2, 9),  // r2 = the value
      instruction(0x15, 2, 0, offset: 24),  // not armed: pass
      instruction(0x7a, 10, 0, offset: -8),  // eight bytes of 0 on the stack
      instruction(0xbf, 1, 6),
      instruction(0xb7, 2, 0, value: 12),
      instruction(0xbf, 3, 10),
      instruction(0x07, 3, 0, value: 0xffff_fff8),  // r3 = the stack pointer - 8
      instruction(0xb7, 4, 0, value: 2),
      instruction(0x85, 0, 0, value: 26),  // bpf_skb_load_bytes: the header's length, and its flags
      instruction(0x55, 0, 0, offset: 16),  // the packet is shorter: pass
      instruction(0x71, 7, 10, offset: -8),
      instruction(0x77, 7, 0, value: 4),
      instruction(0x67, 7, 0, value: 2),  // r7 = the header's length in bytes
      instruction(0x71, 8, 10, offset: -7),
      instruction(0x57, 8, 0, value: 0x05),  // FIN or RST
      instruction(0x55, 8, 0, offset: 2),  // one of them: report
      instruction(0x61, 2, 6),  // r2 = the packet's length
      instruction(0xbd, 2, 7, offset: 8),  // only a header: pass
      instruction(0x62, 9, 0),  // reported: no longer armed
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
