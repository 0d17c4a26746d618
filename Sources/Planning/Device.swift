/// A device that a guest may use.
public struct Device: Hashable, Sendable {
  /// The two kinds of device nodes.
  public enum Kind: Hashable, Sendable {
    case character, block
  }

  /// The kind of the node.
  public var kind: Kind
  /// The major number, which stands for the driver.
  public var major: UInt32
  /// The minor number; nil: all of that major.
  public var minor: UInt32?

  public init(_ kind: Kind, _ major: UInt32, _ minor: UInt32?) {
    self.kind = kind
    self.major = major
    self.minor = minor
  }

  /// The devices that the Container Interface allows a guest: the nodes of its /dev, and the terminals that it makes.
  static let ofEveryGuest =
    HostSources.devices.map { Device(.character, $0.major, $0.minor) }
    // /dev/pts/ptmx, and the majors of Unix 98 terminals.
    + [Device(.character, 5, 2)]
    // Device 0:0 does not exist. Its nodes cover devices in /run/host/inaccessible, and systemd in the guest makes such nodes too.
    + [Device(.character, 0, 0), Device(.block, 0, 0)] + (136...143).map { Device(.character, $0, nil) }
}
