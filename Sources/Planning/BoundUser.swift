import GuestSpec

/// A user of this host, as passwd(5) and shadow(5) define it.
public struct HostUser: Equatable, Sendable {
  /// The login name, on the host and in the guest.
  public var name: String
  /// The user ID on the host.
  public var uid: UInt32
  /// The primary group's ID on the host.
  public var gid: UInt32
  /// The home directory, a path of the host.
  public var home: String
  /// The login shell, a path of the host that may be missing in the guest.
  public var shell: String
  /// The password's hash; nil for a user without a password, or with a locked one.
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

/// `BindUser=`: a user of this host with an ID in the guest.
public struct BoundUser: Equatable, Sendable {
  /// The user on the host.
  public var host: HostUser
  /// The ID of user and group in the guest.
  public var id: UInt32
  /// Whether the mounts below the home can be idmapped too.
  public var mapsBelow = false

  public init(_ host: HostUser, id: UInt32) {
    self.host = host
    self.id = id
  }

  /// The IDs that systemd reserves for users of the host in a container (<https://systemd.io/UIDS-GIDS>).
  public static let ids: ClosedRange<UInt32> = 60514...60577

  /// Gives each user an ID that is free in the guest.
  ///
  /// - Parameters:
  ///   - hosts: the users.
  ///   - passwd: the guest's passwd(5); nil or empty where it has none.
  ///   - group: the guest's group(5), likewise.
  ///   - count: how many IDs the guest has; nil: all.
  /// - Returns: the users with their IDs.
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
    AccountLines(text).compactMap { fields in
      guard fields.count > 2, let id = UInt32(fields[2]) else { return nil }
      return (fields[0], id)
    }
  }

  /// The home directory in the guest.
  public var home: String { "/run/host/home/" + host.name }

  /// The ID map for the home in a guest with the ID map `users`; nil: a guest with the host's users.
  public func map(in users: IDMap?) -> IDMap {
    IDMap(
      users: IDMap.Extent(inner: host.uid, outer: (users?.users.outer ?? 0) &+ id, count: 1),
      groups: IDMap.Extent(inner: host.gid, outer: (users?.groups.outer ?? 0) &+ id, count: 1))
  }

  /// The user and group records for nss-systemd(8), with the suffixes of their file names, their modes and their contents.
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

/// JSON as text. A pure target has no library for it.
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
