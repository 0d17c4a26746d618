import GuestSpec

/// A user of this host, as passwd(5) and shadow(5) have it.
public struct HostUser: Equatable, Sendable {
  /// The login name, on the host as in the guest.
  public var name: String
  /// As the host numbers users.
  public var uid: UInt32
  /// The first group on the host.
  public var gid: UInt32
  /// A path of the host.
  public var home: String
  /// A path of the host's, which the guest need not have.
  public var shell: String
  /// nil for a user who has no password, or whose password is locked.
  public var password: Secret?

  public init(name: String, uid: UInt32, gid: UInt32, home: String, shell: String, password: Secret? = nil) {
    self.name = name
    self.uid = uid
    self.gid = gid
    self.home = home
    self.shell = shell
    self.password = password
  }
}

/// `BindUser=`: a user of this host as a guest knows him, with a number of the guest's.
public struct BoundUser: Equatable, Sendable {
  /// As the host knows him.
  public var host: HostUser
  /// User and group in the guest.
  public var id: UInt32
  /// Whether the mounts below the home translate owners as well.
  public var mapsBelow = false

  public init(_ host: HostUser, id: UInt32) {
    self.host = host
    self.id = id
  }

  /// What systemd keeps for users of the host that are mapped into a container
  /// (<https://systemd.io/UIDS-GIDS>).
  public static let ids: ClosedRange<UInt32> = 60514...60577

  /// Gives each a number that is nobody's in the guest.
  ///
  /// - Parameters:
  ///   - hosts: the users.
  ///   - passwd: the guest's passwd(5); nil or empty where it has none.
  ///   - group: the guest's group(5), likewise.
  ///   - count: how many users the guest has; nil: all.
  /// - Returns: the users with their numbers.
  /// - Throws: `BindUserError`.
  public static func numbered(
    _ hosts: [HostUser], passwd: String?, group: String?, count: UInt32?
  ) throws(BindUserError) -> [BoundUser] {
    let (users, groups) = (entries(passwd), entries(group))
    let taken = Set((users + groups).map(\.id))
    var free = ids.filter { !taken.contains($0) }[...]
    var result: [BoundUser] = []
    for host in hosts {
      try check(host)
      if users.contains(where: { $0.name == host.name }) { throw .isUserOfGuest(host.name) }
      if groups.contains(where: { $0.name == host.name }) { throw .isGroupOfGuest(host.name) }
      guard let id = free.popFirst() else { throw .noNumber(host.name) }
      if let count, id >= count { throw .guestHasFewer(host.name, count: count) }
      result.append(BoundUser(host, id: id))
    }
    return result
  }

  private static func check(_ host: HostUser) throws(BindUserError) {
    let (nobody, firstRegular): (UInt32, UInt32) = (65534, 1000)
    if host.uid == nobody { throw .isNobody(host.name) }
    if host.uid < firstRegular { throw .isOfSystem(host.name, uid: host.uid) }
    if !host.home.hasPrefix("/") || host.home.allSatisfy({ $0 == "/" }) { throw .noHome(host.name, home: host.home) }
  }

  private static func entries(_ text: String?) -> [(name: Substring, id: UInt32)] {
    (text ?? "").split(separator: "\n").compactMap { line in
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count > 2, let id = UInt32(fields[2]) else { return nil }
      return (fields[0], id)
    }
  }

  /// In the guest.
  public var home: String { "/run/host/home/" + host.name }

  /// What of the host's user and group is whose in a guest with these users; nil: the host's.
  public func map(in users: IDMap?) -> IDMap {
    IDMap(
      users: IDMap.Extent(inner: host.uid, outer: (users?.users.outer ?? 0) &+ id, count: 1),
      groups: IDMap.Extent(inner: host.gid, outer: (users?.groups.outer ?? 0) &+ id, count: 1))
  }

  /// The files of nss-systemd(8) that make him known: what follows the name, who may read it, and what is in it.
  func records(shell: BindUserShell) -> [(suffix: String, mode: UInt16, contents: String)] {
    let service = ("service", JSONText("io.dormouse.Manager"))
    var user = [
      ("userName", JSONText(host.name)), ("uid", JSONText(id)), ("gid", JSONText(id)),
      ("homeDirectory", JSONText(home)),
      service,
    ]
    switch shell {
    case .none: break
    case .hosts: if !host.shell.isEmpty { user.append(("shell", JSONText(host.shell))) }
    case .path(let path): user.append(("shell", JSONText(path)))
    }
    let group = [("groupName", JSONText(host.name)), ("gid", JSONText(id)), service]
    var records: [(suffix: String, mode: UInt16, contents: String)] = [
      (".group", 0o444, JSONText(group).text + "\n"), (".user", 0o444, JSONText(user).text + "\n"),
    ]
    if let password = host.password {
      let hash = JSONText([JSONText(String(decoding: password.bytes, as: UTF8.self))])
      let privileged = JSONText([("privileged", JSONText([("hashedPassword", hash)]))])
      records.append((".user-privileged", 0o400, privileged.text + "\n"))
    }
    return records
  }
}

/// JSON, as text: these targets have no library for it.
private struct JSONText {
  let text: String

  init(_ number: UInt32) { text = String(number) }

  init(_ elements: [JSONText]) { text = "[" + elements.map(\.text).joined(separator: ",") + "]" }

  init(_ members: [(String, JSONText)]) {
    text = "{" + members.map { JSONText($0.0).text + ":" + $0.1.text }.joined(separator: ",") + "}"
  }

  init(_ string: String) {
    let escaped = string.unicodeScalars.map { scalar -> String in
      switch scalar {
      case "\"", "\\": return "\\" + String(scalar)
      case "\0"..<" ":
        let digits = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      case _: return String(scalar)
      }
    }
    text = "\"" + escaped.joined() + "\""
  }
}
