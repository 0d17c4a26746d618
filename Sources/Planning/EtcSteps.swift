import GuestSpec

/// `Timezone=` and `ResolvConf=`: the files that a guest's /etc takes from the host's. They are changed before the root becomes read-only.
struct EtcSteps {
  private let guest: Guest
  private let etc: HostEtc
  /// Opens the host's files that are to be bound.
  private(set) var opening: [Step] = []
  /// Changes the guest's files.
  private(set) var writing: [Step] = []
  /// The settings that this start does not apply.
  private(set) var notes: [PlanNote] = []

  private static let localtime = "/etc/localtime"
  private static let resolvConf = "/etc/resolv.conf"

  init(_ guest: Guest, _ facts: StartFacts, _ slots: inout Slots) throws(PlanError) {
    (self.guest, etc) = (guest, facts.etc)
    writeTimezone(&slots)
    try writeResolvConf(&slots)
  }

  /// Whether the guest's file makes the root read-only. Files are bound over it then, because a change would stay in it.
  private var isReadOnly: Bool { guest.files.readOnly || guest.files.volatile == .state }

  /// What `auto` means for this guest.
  private var timezone: Timezone {
    guard guest.exec.integration.timezone == .auto else { return guest.exec.integration.timezone }
    if !etc.guest.exists || etc.guest.localtime == .other { return .off }
    if isReadOnly { return etc.guest.localtime == .missing ? .off : .bind }
    return etc.timezone == nil ? .copy : .symlink
  }

  private mutating func writeTimezone(_ slots: inout Slots) {
    let isAsked = guest.exec.integration.timezone != .auto
    switch timezone {
    case .off, .auto: break
    case .delete: writing.append(.remove(path: Self.localtime))
    case .bind: bind(Self.localtime, at: Self.localtime, optional: true, &slots)
    case .copy:
      guard let contents = etc.localtime else {
        if isAsked { notes.append(.hostTimezoneUnknown) }
        return
      }
      writing.append(
        .replaceFile(path: Self.localtime, mode: 0o644, contents: contents, keepsLink: false, lenient: !isAsked))
    case .symlink:
      guard let zone = etc.timezone else { return notes.append(.hostTimezoneUnknown) }
      guard etc.guest.hasTimezone else {
        if isAsked { notes.append(.timezoneMissing(zone)) }
        return
      }
      let target = "../usr/share/zoneinfo/" + zone
      if etc.guest.localtime == .link(target: target) { return }
      writing.append(.replaceLink(path: Self.localtime, target: target, lenient: !isAsked))
    }
  }

  /// What `auto` means for this guest. One with a network of its own finds its name servers itself.
  private var nameService: ResolvConf {
    guard guest.exec.integration.resolvConf == .auto else { return guest.exec.integration.resolvConf }
    if guest.network.isPrivate || !etc.guest.exists || etc.guest.resolvConf == .other { return .off }
    if isReadOnly { return etc.guest.resolvConf == .file ? .bind(.host) : .off }
    return .copy(.host)
  }

  private mutating func writeResolvConf(_ slots: inout Slots) throws(PlanError) {
    let isAsked = guest.exec.integration.resolvConf != .auto
    let mode = nameService
    switch mode {
    case .off, .auto: return
    case .delete: return writing.append(.remove(path: Self.resolvConf))
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
    if case .bind = mode { return bind(file.path, at: Self.resolvConf, optional: false, &slots) }
    replaceResolvConf(file.contents, keepsLink: true, lenient: !isAsked)
  }

  private mutating func replaceResolvConf(_ contents: [UInt8], keepsLink: Bool, lenient: Bool) {
    writing.append(
      .replaceFile(path: Self.resolvConf, mode: 0o644, contents: contents, keepsLink: keepsLink, lenient: lenient))
  }

  private mutating func bind(_ source: String, at target: String, optional: Bool, _ slots: inout Slots) {
    let opened = slots.open(source, [.readOnly, .inert], optional: optional)
    opening.append(opened.opening)
    writing.append(opened.attached(at: target))
  }
}
