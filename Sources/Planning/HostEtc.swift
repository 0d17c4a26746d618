/// The host's files for `Timezone=` and `ResolvConf=`, and what the guest's root has in their places.
public struct HostEtc: Equatable, Sendable {
  /// The time zone that the host's /etc/localtime links to; nil when it is no link into /usr/share/zoneinfo.
  public var timezone: String?
  /// The contents of the host's /etc/localtime, if it may be copied.
  public var localtime: [UInt8]?
  /// The host's file that `ResolvConf=` selects, if it exists.
  public var resolvConf: HostFile?
  /// The guest's files.
  public var guest = GuestEtc()

  /// A file of the host.
  public struct HostFile: Equatable, Sendable {
    /// Its path on the host.
    public var path: String
    /// Its whole contents.
    public var contents: [UInt8]

    public init(path: String, contents: [UInt8]) {
      self.path = path
      self.contents = contents
    }
  }

  /// The files in the guest's root.
  public struct GuestEtc: Equatable, Sendable {
    /// Whether /etc is a directory.
    public var exists = false
    /// Its /etc/localtime.
    public var localtime = Entry.missing
    /// Its /etc/resolv.conf.
    public var resolvConf = Entry.missing
    /// Whether the guest's /usr/share/zoneinfo has the host's time zone.
    public var hasTimezone = false

    public init() {}
  }

  /// What is at a path; symbolic links are not followed.
  public enum Entry: Equatable, Sendable {
    case missing, file, other
    case link(target: String)
  }

  public init() {}
}

/// A setting that is not applied, and that the guest runs without.
public enum PlanNote: Equatable, Sendable, CustomStringConvertible {
  case hostTimezoneUnknown
  case timezoneMissing(String)
  case resolvConfIsLink
  case noSystemCallFilter
  case capabilitiesMissing(String)

  public var description: String {
    switch self {
    case .hostTimezoneUnknown:
      "Timezone=: this host's /etc/localtime does not name a time zone, so the guest's file is unchanged"
    case .timezoneMissing(let zone):
      "Timezone=symlink: the guest has no /usr/share/zoneinfo/\(zone), so its /etc/localtime is unchanged"
    case .resolvConfIsLink:
      "ResolvConf=: the guest's /etc/resolv.conf is a symbolic link and is unchanged; the modes replace-… replace it"
    case .noSystemCallFilter: "the kernel has no seccomp(2), so the guest's programs can make any system call"
    case .capabilitiesMissing(let names):
      "Capability=\(names): dormoused does not have it, and a guest without a user namespace gets no more; "
        + "add CapabilityBoundingSet=\(names) to a drop-in of dormoused's unit"
    }
  }
}
