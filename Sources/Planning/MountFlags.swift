/// The flags of a mount, as mount(8) names them. `Launching` has the kernel's numbers.
public struct MountFlags: OptionSet, Hashable, Sendable {
  public let rawValue: UInt16

  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// `ro`.
  public static let readOnly = MountFlags(rawValue: 1 << 0)
  /// `nosuid`.
  public static let noSetUID = MountFlags(rawValue: 1 << 1)
  /// `nodev`.
  public static let noDevices = MountFlags(rawValue: 1 << 2)
  /// `noexec`.
  public static let noExecute = MountFlags(rawValue: 1 << 3)
  /// `noatime`.
  public static let noAccessTime = MountFlags(rawValue: 1 << 4)
  /// `strictatime`.
  public static let strictAccessTime = MountFlags(rawValue: 1 << 5)
  /// `nosymfollow`.
  public static let noSymlinkFollow = MountFlags(rawValue: 1 << 6)

  /// The flags for the kernel's own file systems, which have no programs and no device nodes.
  static let inert: MountFlags = [.noSetUID, .noDevices, .noExecute]
}

/// The comma-separated options of mount(8), divided into flags of the mount and options of the file system.
struct MountOptions: Equatable {
  var flags: MountFlags
  /// The options for the file system.
  var data: String

  /// Parses `text`. `flags` are the defaults, which `text` changes.
  init(parsing text: String, defaults flags: MountFlags) {
    self.flags = flags
    var rest: [Substring] = []
    for option in text.split(separator: ",") {
      switch option {
      case "defaults": break
      case "rw": self.flags.remove(.readOnly)
      case "ro": self.flags.insert(.readOnly)
      case "nosuid": self.flags.insert(.noSetUID)
      case "suid": self.flags.remove(.noSetUID)
      case "nodev": self.flags.insert(.noDevices)
      case "dev": self.flags.remove(.noDevices)
      case "noexec": self.flags.insert(.noExecute)
      case "exec": self.flags.remove(.noExecute)
      case "noatime": self.flags = self.flags.subtracting(.strictAccessTime).union(.noAccessTime)
      case "relatime": self.flags.subtract([.strictAccessTime, .noAccessTime])
      case "strictatime": self.flags = self.flags.subtracting(.noAccessTime).union(.strictAccessTime)
      case "nosymfollow": self.flags.insert(.noSymlinkFollow)
      default: rest.append(option)
      }
    }
    data = rest.joined(separator: ",")
  }
}
