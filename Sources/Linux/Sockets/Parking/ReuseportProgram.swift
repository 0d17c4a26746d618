import CLinux
import Glibc

/// What a `ReuseportSteering` is made of: to be had before there is a second socket. It can fail for want of memory, and whoever had come
/// to a second socket by then would be lost with it.
///
/// The program puts the number in a map of one onto the stack, asks the kernel to choose the socket in that place of another map, and
/// passes the packet whether there is one or not (then the kernel chooses by a hash).
public struct ReuseportProgram: ~Copyable, Sendable {
  struct Map: ~Copyable, Sendable {
    let side: OwnedFD
    let sockets: OwnedFD
    let program: OwnedFD
  }

  /// Nil: a classic program, where the other is not permitted, not built in, or kept from us by a seccomp filter.
  var map: Map?

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

  /// Instructions as in linux/bpf.h's `struct bpf_insn`, in the byte order of the machines we build for.
  private static func instructions(side: borrowing OwnedFD, sockets: borrowing OwnedFD) -> [UInt64] {
    let (side, sockets) = (UInt64(side.raw), UInt64(sockets.raw))
    return [
      instruction(0xbf, 6, 1),  // r6 = r1, the context
      instruction(0x18, 2, 2, value: side), 0,  // r2 = where the map of one has its value
      instruction(0x61, 2, 2),  // r2 = what is there
      instruction(0x63, 10, 2, offset: -4),  // it goes onto the stack
      instruction(0xbf, 1, 6),
      instruction(0x18, 2, 1, value: sockets), 0,  // r2 = the map of sockets
      instruction(0xbf, 3, 10),
      instruction(0x07, 3, 0, value: 0xffff_fffc),  // r3 = the stack less 4
      instruction(0xb7, 4, 0),
      instruction(0x85, 0, 0, value: 82),  // bpf_sk_select_reuseport(r1, r2, r3, 0)
      instruction(0xb7, 0, 0, value: 1),  // SK_PASS
      instruction(0x95, 0, 0),
    ]
  }
}
