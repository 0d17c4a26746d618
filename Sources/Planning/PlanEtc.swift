import GuestSpec

/// `Timezone=` and `ResolvConf=`: the files that a guest's /etc takes from the host's. They are changed before the root becomes read-only.
extension PlanBuilder {
  private static let localtime = "/etc/localtime"
  private static let resolvConf = "/etc/resolv.conf"

  private var etc: HostEtc { facts.etc }

  /// Whether the guest's file makes the root read-only. Files are bound over it then, because a change would stay in it.
  private var isReadOnly: Bool { guest.files.readOnly || guest.files.volatile == .state }

  /// Opens the host's files that are to be bound.
  mutating func openEtc() {
    if timezone == .bind { hostSlots["localtime"] = open(Self.localtime, [.readOnly, .inert], optional: true) }
    if case .bind = nameService, let file = etc.resolvConf {
      hostSlots["resolv.conf"] = open(file.path, [.readOnly, .inert])
    }
  }

  mutating func writeEtc() throws(PlanError) {
    writeTimezone()
    try writeResolvConf()
  }

  /// What `auto` means for this guest.
  private var timezone: Timezone {
    guard guest.exec.timezone == .auto else { return guest.exec.timezone }
    if !etc.guest.exists || etc.guest.localtime == .other { return .off }
    if isReadOnly { return etc.guest.localtime == .missing ? .off : .bind }
    return etc.timezone == nil ? .copy : .symlink
  }

  private mutating func writeTimezone() {
    let isAsked = guest.exec.timezone != .auto
    switch timezone {
    case .off, .auto: break
    case .delete: steps.append(.remove(path: Self.localtime))
    case .bind: attachHost("localtime", Self.localtime, at: Self.localtime)
    case .copy:
      guard let contents = etc.localtime else {
        if isAsked { notes.append(.hostTimezoneUnknown) }
        return
      }
      steps.append(
        .replaceFile(path: Self.localtime, mode: 0o644, contents: contents, keepsLink: false, lenient: !isAsked))
    case .symlink:
      guard let zone = etc.timezone else { return notes.append(.hostTimezoneUnknown) }
      guard etc.guest.hasTimezone else {
        if isAsked { notes.append(.timezoneMissing(zone)) }
        return
      }
      let target = "../usr/share/zoneinfo/" + zone
      if etc.guest.localtime == .link(target: target) { return }
      steps.append(.replaceLink(path: Self.localtime, target: target, lenient: !isAsked))
    }
  }

  /// What `auto` means for this guest. One with a network of its own finds its name servers itself.
  private var nameService: ResolvConf {
    guard guest.exec.resolvConf == .auto else { return guest.exec.resolvConf }
    if guest.network.isPrivate || !etc.guest.exists || etc.guest.resolvConf == .other { return .off }
    if isReadOnly { return etc.guest.resolvConf == .file ? .bind(.host) : .off }
    return .copy(.host)
  }

  private mutating func writeResolvConf() throws(PlanError) {
    let isAsked = guest.exec.resolvConf != .auto
    let mode = nameService
    switch mode {
    case .off, .auto: return
    case .delete: return steps.append(.remove(path: Self.resolvConf))
    case .copy, .bind, .replace: break
    }
    guard let file = etc.resolvConf else {
      if isAsked { throw .noResolvConf(path: mode.candidates.first ?? Self.resolvConf) }
      return
    }
    if case .replace = mode { return replaceResolvConf(file.contents, keepsLink: false, lenient: false) }
    // The link points to a file that a service of the guest writes later.
    if case .link = etc.guest.resolvConf {
      if isAsked { notes.append(.resolvConfIsLink) }
      return
    }
    if case .bind = mode { return attachHost("resolv.conf", file.path, at: Self.resolvConf) }
    replaceResolvConf(file.contents, keepsLink: true, lenient: !isAsked)
  }

  private mutating func replaceResolvConf(_ contents: [UInt8], keepsLink: Bool, lenient: Bool) {
    steps.append(
      .replaceFile(path: Self.resolvConf, mode: 0o644, contents: contents, keepsLink: keepsLink, lenient: lenient))
  }
}
