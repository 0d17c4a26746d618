import Glibc

/// The number of a device, as the kernel divides it: makedev(3).
public struct DeviceNumber: Equatable, Sendable {
  /// Which driver has it.
  public let major: UInt32
  /// Which of the driver's it is.
  public let minor: UInt32

  /// Of stat(2), which has the low 8 bits of the minor number below 12 of the major one, and the rest of both above.
  init(_ number: dev_t) {
    major = UInt32(truncatingIfNeeded: number >> 8 & 0xfff | number >> 32 & ~0xfff)
    minor = UInt32(truncatingIfNeeded: number & 0xff | number >> 12 & ~0xff)
  }
}
