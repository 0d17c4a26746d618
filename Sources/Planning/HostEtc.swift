/// What a start may take over from the host's /etc, and what the guest's root has in these places.
public struct HostEtc: Equatable, Sendable {
  /// The zone that the host's /etc/localtime names; nil when it is no link into /usr/share/zoneinfo.
  public var timezone: String?
  /// The host's /etc/localtime, if it is to be copied.
  public var localtime: [UInt8]?
  /// The file that `ResolvConf=` stands for, if it is there.
  public var resolvConf: HostFile?
  /// Of the guest.
  public var guest = GuestEtc()

  /// A file that may be taken over.
  public struct HostFile: Equatable, Sendable {
    /// Of the host, after all links.
    public var path: String
    /// All of it.
    public var contents: [UInt8]

    public init(path: String, contents: [UInt8]) {
      self.path = path
      self.contents = contents
    }
  }

  /// What the guest's root has in these places.
  public struct GuestEtc: Equatable, Sendable {
    /// Whether /etc is a directory.
    public var exists = false
    /// Its /etc/localtime.
    public var localtime = Entry.missing
    /// Its /etc/resolv.conf.
    public var resolvConf = Entry.missing
    /// Whether the guest's /usr/share/zoneinfo knows the host's zone.
    public var hasTimezone = false

    public init() {}
  }

  /// What stands at a path, without following it.
  public enum Entry: Equatable, Sendable {
    case missing, file, other
    case link(target: String)
  }

  public init() {}
}

/// What could not be done as the guest's file asks for it, and does not keep the guest from running.
public enum PlanNote: Equatable, Sendable, CustomStringConvertible {
  case hostTimezoneUnknown
  case timezoneMissing(String)
  case resolvConfIsLink
  case noSystemCallFilter

  public var description: String {
    switch self {
    case .hostTimezoneUnknown:
      "Timezone=: this host's /etc/localtime does not say which timezone it is, so the guest's stays as it is"
    case .timezoneMissing(let zone): "Timezone=symlink: the guest has no /usr/share/zoneinfo/\(zone), so its own stays"
    case .resolvConfIsLink:
      "ResolvConf=: the guest's /etc/resolv.conf is a symbolic link and stays; replace-host and the like replace it"
    case .noSystemCallFilter: "the kernel has no seccomp(2): the guest's programs may make any system call"
    }
  }
}
