/// How much of a file system stays free: guests that would write to it do not start while less is (`KeepFree=`).
public struct SpaceFloor: Equatable, Sendable {
  /// Nil: the default.
  public var keepFree: Resources.Amount?

  public init(_ keepFree: Resources.Amount? = nil) { self.keepFree = keepFree }

  /// The default floor is the smaller one of these: 5 % of the file system, and 1 GiB.
  static let defaults: [Resources.Amount] = [.share(500), .count(1 << 30)]

  /// The floor of a file system, in bytes.
  public func bytes(ofTotal total: UInt64) -> UInt64 {
    (keepFree.map { [$0] } ?? Self.defaults).map { $0.part(of: total) }.min() ?? 0
  }

  /// - Parameters:
  ///   - path: a directory of the file system.
  ///   - free: how many bytes are free, for users other than root.
  ///   - total: how many bytes the file system has.
  /// - Returns: nil when enough is free.
  public func shortage(at path: String, free: UInt64, total: UInt64) -> SpaceShortage? {
    let floor = bytes(ofTotal: total)
    return free < floor ? SpaceShortage(path: path, free: free, floor: floor) : nil
  }
}

/// A file system has less space than must stay free.
public struct SpaceShortage: Error, Equatable, Sendable, CustomStringConvertible {
  /// A directory of the file system.
  public let path: String
  /// How many bytes are free.
  public let free: UInt64
  /// How many bytes must stay free.
  public let floor: UInt64

  public var description: String {
    "\(path) has \(Self.words(free)) free, and KeepFree= of dormoused.conf keeps \(Self.words(floor)), so no guest starts that would "
      + "write there; make room, or lower KeepFree="
  }

  /// As systemd writes sizes: `1.5G`, rounded down.
  private static func words(_ bytes: UInt64) -> String {
    for (suffix, power) in [("T", 40), ("G", 30), ("M", 20), ("K", 10)] where bytes >> power > 0 {
      let tenths = ((bytes >> (power - 10)) * 10) >> 10
      return "\(tenths / 10).\(tenths % 10)\(suffix)"
    }
    return "\(bytes)B"
  }
}
