import CLinux
import Glibc

/// A device that the processes of a cgroup may create, read and write.
public struct AllowedDevice: Hashable, Sendable {
  /// Whether it is a block device, and not a character device.
  public var isBlock: Bool
  /// The major number, of the driver.
  public var major: UInt32
  /// The minor number; nil stands for all of the driver's devices.
  public var minor: UInt32?

  public init(isBlock: Bool, major: UInt32, minor: UInt32?) {
    self.isBlock = isBlock
    self.major = major
    self.minor = minor
  }
}

extension Cgroup2 {
  /// Whether this process can restrict a cgroup's devices: it needs CONFIG_CGROUP_BPF and the capability.
  public static var canRestrictDevices: Bool { (try? load([])) != nil }

  /// Denies the processes in `cgroup` and below it every device but `allowed`, for the lifetime of the cgroup. It applies to mknod(2) and
  /// open(2), not to open descriptors. Call it once for a cgroup: a second program would apply in addition to the first.
  ///
  /// - Throws: `SystemError` of bpf(2).
  public static func restrictDevices(
    of cgroup: borrowing OwnedFD, to allowed: [AllowedDevice]
  ) throws(SystemError) {
    let program = try load(allowed)
    let raw = cgroup.raw
    try retrying("bpf BPF_PROG_ATTACH") { linux_bpf_attach(raw, program.raw, BPF_CGROUP_DEVICE.rawValue) }
  }

  /// Counts the device programs that apply to the processes of `cgroup`.
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

/// The eBPF program: for each allowed device it compares the numbers and returns 1 on a match; at the end it returns 0.
enum DeviceProgram {
  static func instructions(_ allowed: [AllowedDevice]) -> [UInt64] {
    // r1 points to the context: the access (1 block, 2 character in the low half), major, minor. They are loaded into r2, r3, r4.
    var program = [load(to: 2, offset: 0), and(2, 0xffff), load(to: 3, offset: 4), load(to: 4, offset: 8)]
    for device in allowed {
      var tests = [(register: UInt64(2), value: device.isBlock ? 1 : 2), (register: 3, value: device.major)]
      if let minor = device.minor { tests.append((register: 4, value: minor)) }
      for (index, test) in tests.enumerated() {
        // Jumps over the remaining tests and the two instructions that return 1.
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
