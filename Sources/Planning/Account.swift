import GuestSpec

/// A user as the guest's own passwd(5) and group(5) define it.
public struct Account: Hashable, Sendable {
  /// The login name.
  public var name: String
  /// The user ID in the guest.
  public var uid: UInt32
  /// The primary group's ID in the guest.
  public var gid: UInt32
  /// The IDs of all groups, the primary one included.
  public var groups: [UInt32]
  /// The home directory, a path in the guest.
  public var home: String
  /// The login shell; nil where the entry names none.
  public var shell: String?

  /// Root, which needs no entry.
  public static let root = Account(name: "root", uid: 0, gid: 0, groups: [0], home: "/root", shell: nil)

  public init(name: String, uid: UInt32, gid: UInt32, groups: [UInt32], home: String, shell: String?) {
    self.name = name
    self.uid = uid
    self.gid = gid
    self.groups = groups
    self.home = home
    self.shell = shell
  }

  /// Looks up `wanted`, a name or an ID, in the texts of the two files, which are nil or empty where the guest has none.
  ///
  /// Root always exists. An ID without an entry is valid too, with the group of the same ID.
  public init?(_ wanted: String, passwd: String?, group: String?) {
    let number = UInt32(wanted)
    let line = AccountLines(passwd).first {
      $0.count >= 6 && ($0[0] == wanted || number != nil && UInt32($0[2]) == number)
    }
    if let line, let uid = UInt32(line[2]), let gid = UInt32(line[3]) {
      let name = String(line[0])
      let shell = line.count > 6 && !line[6].isEmpty ? String(line[6]) : nil
      self.init(
        name: name, uid: uid, gid: gid, groups: Self.groups(of: name, gid, group),
        home: line[5].hasPrefix("/") ? String(line[5]) : "/", shell: shell)
    } else if wanted == "root" || number == 0 {
      self = .root
    } else if let number {
      self.init(name: wanted, uid: number, gid: number, groups: [number], home: "/", shell: nil)
    } else {
      return nil
    }
  }

  private static func groups(of name: String, _ gid: UInt32, _ group: String?) -> [UInt32] {
    // The kernel's NGROUPS_MAX.
    let most = 65536
    var groups = [gid]
    var known: Set = [gid]
    for fields in AccountLines(group) {
      guard fields.count >= 4, let number = UInt32(fields[2]), groups.count < most else { continue }
      let members = fields[3].utf8.split(separator: UInt8(ascii: ","))
      if members.contains(where: { $0.elementsEqual(name.utf8) }), known.insert(number).inserted {
        groups.append(number)
      }
    }
    return groups
  }
}
