import CLinux
import Glibc

/// The maps and the program of a `ReuseportSteering`. Load them before there is a standby: loading can fail for lack of memory, and the
/// clients that had reached a standby by then would be lost with it.
///
/// The program copies the only value of one map to the stack, makes the kernel select the socket at that index of another map, and passes
/// the packet in any case. If there is no socket at the index, the kernel chooses by a hash.
public struct ReuseportProgram: ~Copyable, Sendable {
  struct Map: ~Copyable, Sendable {
    let side: OwnedFD
    let sockets: OwnedFD
    let program: OwnedFD
  }

  /// Nil where eBPF is not permitted, not built in, or blocked by a seccomp filter. A classic program is used then.
  var map: Map?

  /// Loads the program.
  ///
  /// - Throws: `SystemError` of bpf(2): `ENOMEM`, `EMFILE`.
  public init() throws(SystemError) {
    map = try Self.load()
  }

  private static func load() throws(SystemError) -> Map? {
    do throws(SystemError) {
      let side = try makeMap(BPF_MAP_TYPE_ARRAY, entries: 1)
      let sockets = try makeMap(BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, entries: 2)
      let instructions = instructions(side: side, sockets: sockets)
      let program = OwnedFD(
        owning: try retrying("bpf BPF_PROG_LOAD") { linux_bpf_load_reuseport(instructions, UInt32(instructions.count)) }
      )
      return Map(side: side, sockets: sockets, program: program)
    } catch {
      guard [EPERM, EACCES, ENOSYS, EINVAL].contains(error.errno) else { throw error }
      return nil
    }
  }

  private static func makeMap(_ type: bpf_map_type, entries: UInt32) throws(SystemError) -> OwnedFD {
    OwnedFD(owning: try retrying("bpf BPF_MAP_CREATE") { linux_bpf_make_map(type.rawValue, entries) })
  }

  /// The program, one linux/bpf.h `struct bpf_insn` after the other.
  private static func instructions(side: borrowing OwnedFD, sockets: borrowing OwnedFD) -> [UInt64] {
    let (side, sockets) = (UInt64(side.raw), UInt64(sockets.raw))
    return [
      instruction(0xbf, 6, 1),  // r6 = r1, the context
      instruction(0x18, 2, 2, value: side), 0,  // r2 = the address of the value
      instruction(0x61, 2, 2),  // r2 = the value
      instruction(0x63, 10, 2, offset: -4),  // onto the stack
      instruction(0xbf, 1, 6),
      instruction(0x18, 2, 1, value: sockets), 0,  // r2 = the map of sockets
      instruction(0xbf, 3, 10),
      instruction(0x07, 3, 0, value: 0xffff_fffc),  // r3 = the stack pointer - 4
      instruction(0xb7, 4, 0),
      instruction(0x85, 0, 0, value: 82),  // bpf_sk_select_reuseport(r1, r2, r3, 0)
      instruction(0xb7, 0, 0, value: 1),  // SK_PASS
      instruction(0x95, 0, 0),
    ]
  }
}
