import CLinux
import Glibc

/// A device that the processes of a cgroup may make, read and write.
public struct AllowedDevice: Hashable, Sendable {
  /// Otherwise it is a character device.
  public var isBlock: Bool
  /// The driver's number.
  public var major: UInt32
  /// nil: every minor of that major.
  public var minor: UInt32?

  public init(isBlock: Bool, major: UInt32, minor: UInt32?) {
    self.isBlock = isBlock
    self.major = major
    self.minor = minor
  }
}

extension Cgroup2 {
  /// Whether the kernel lets this process restrict a cgroup's devices: CONFIG_CGROUP_BPF, and the capability.
  public static var canRestrictDevices: Bool { (try? load([])) != nil }

  /// Denies the processes in `cgroup` and below it every device but `allowed`, for as long as the cgroup lives. Applies to
  /// mknod(2) and open(2), not to what is open already. Not to be called twice for a cgroup: both would hold.
  ///
  /// - Throws: `SystemError` of bpf(2).
  public static func restrictDevices(
    of cgroup: borrowing OwnedFD, to allowed: [AllowedDevice]
  ) throws(SystemError) {
    let program = try load(allowed)
    let raw = cgroup.raw
    try retrying("bpf BPF_PROG_ATTACH") { linux_bpf_attach_devices(raw, program.raw) }
  }

  /// How many device programs hold for the processes of `cgroup`.
  ///
  /// - Throws: `SystemError` of bpf(2).
  public static func devicePrograms(of cgroup: borrowing OwnedFD) throws(SystemError) -> Int {
    let raw = cgroup.raw
    return Int(try retrying("bpf BPF_PROG_QUERY") { linux_bpf_count_devices(raw) })
  }

  private static func load(_ allowed: [AllowedDevice]) throws(SystemError) -> OwnedFD {
    let instructions = DeviceProgram.instructions(allowed)
    return OwnedFD(
      owning: try retrying("bpf BPF_PROG_LOAD") {
        linux_bpf_load_devices(instructions, UInt32(instructions.count))
      })
  }
}

/// The program: for each allowed device a comparison that ends it with 1, and 0 at the end. Instructions as in linux/bpf.h's
/// `struct bpf_insn`, in the byte order of the machines we build for.
enum DeviceProgram {
  static func instructions(_ allowed: [AllowedDevice]) -> [UInt64] {
    // The context, in r1: access (low half: 1 block, 2 character), major, minor. Into r2, r3, r4.
    var program = [load(to: 2, offset: 0), and(2, 0xffff), load(to: 3, offset: 4), load(to: 4, offset: 8)]
    for device in allowed {
      var tests = [(register: UInt64(2), value: device.isBlock ? 1 : 2), (register: 3, value: device.major)]
      if let minor = device.minor { tests.append((register: 4, value: minor)) }
      for (index, test) in tests.enumerated() {
        // Over the tests that are left, and the two instructions of the answer.
        program.append(jumpUnlessEqual(test.register, test.value, by: UInt64(tests.count - index + 1)))
      }
      program += [move(1), exit]
    }
    return program + [move(0), exit]
  }

  /// BPF_LDX | BPF_W | BPF_MEM, from r1.
  private static func load(to register: UInt64, offset: UInt64) -> UInt64 {
    0x61 | register << 8 | 1 << 12 | offset << 16
  }

  /// BPF_ALU | BPF_AND | BPF_K.
  private static func and(_ register: UInt64, _ value: UInt32) -> UInt64 { 0x54 | register << 8 | UInt64(value) << 32 }

  /// BPF_JMP32 | BPF_JNE | BPF_K.
  private static func jumpUnlessEqual(_ register: UInt64, _ value: UInt32, by offset: UInt64) -> UInt64 {
    0x56 | register << 8 | offset << 16 | UInt64(value) << 32
  }

  /// BPF_ALU64 | BPF_MOV | BPF_K, to r0.
  private static func move(_ value: UInt32) -> UInt64 { 0xb7 | UInt64(value) << 32 }

  /// BPF_JMP | BPF_EXIT.
  private static let exit: UInt64 = 0x95
}
