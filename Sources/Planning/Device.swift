/// A device that a guest may use.
public struct Device: Hashable, Sendable {
  /// The two kinds of device nodes.
  public enum Kind: Hashable, Sendable {
    case character, block
  }

  /// Which of them it is.
  public var kind: Kind
  /// The driver's number.
  public var major: UInt32
  /// nil: all of that major.
  public var minor: UInt32?

  public init(_ kind: Kind, _ major: UInt32, _ minor: UInt32?) {
    self.kind = kind
    self.major = major
    self.minor = minor
  }

  /// What the Container Interface lets a guest have: the nodes of its /dev, and the terminals it makes.
  static let ofEveryGuest =
    PlanBuilder.devices.map { Device(.character, $0.major, $0.minor) }
    // /dev/pts/ptmx, and the majors of Unix 98 terminals.
    + [Device(.character, 5, 2)]
    // Devices that there are none of, for /run/host/inaccessible: also systemd in the guest makes such nodes.
    + [Device(.character, 0, 0), Device(.block, 0, 0)] + (136...143).map { Device(.character, $0, nil) }
}
