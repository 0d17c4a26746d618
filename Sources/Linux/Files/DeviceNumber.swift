import Glibc

/// The number of a device, divided into major and minor: makedev(3).
public struct DeviceNumber: Equatable, Sendable {
  /// The driver's number.
  public let major: UInt32
  /// The number of the device among those of its driver.
  public let minor: UInt32

  /// Decodes st_dev or st_rdev of stat(2): 8 bits of the minor number, 12 bits of the major number, then the remaining bits of both.
  init(_ number: dev_t) {
    major = UInt32(truncatingIfNeeded: number >> 8 & 0xfff | number >> 32 & ~0xfff)
    minor = UInt32(truncatingIfNeeded: number & 0xff | number >> 12 & ~0xff)
  }
}
