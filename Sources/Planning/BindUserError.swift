/// Why a user of the host cannot be bound by `BindUser=`.
public enum BindUserError: Error, Equatable, Sendable, CustomStringConvertible {
  case unknown(String)
  case isNobody(String)
  case isOfSystem(String, uid: UInt32)
  case isUserOfGuest(String)
  case isGroupOfGuest(String)
  case noNumber(String)
  case guestHasFewer(String, count: UInt32)
  case noHome(String, home: String)
  case homeCannotBeMapped(String, home: String, MappingRefusal)

  public var description: String {
    switch self {
    case .unknown(let name):
      "BindUser=\(name): this host has no such user; name one of those that `getent passwd` shows"
    case .isNobody(let name):
      "BindUser=\(name): this is the user nobody; name a regular user"
    case .isOfSystem(let name, let uid):
      "BindUser=\(name): this is a system user, with the ID \(uid), and the guest has its own; name a regular user, with an ID from 1000 on"
    case .isUserOfGuest(let name):
      "BindUser=\(name): the guest has a user \(name) of its own; remove it from the guest's /etc/passwd, or remove the setting"
    case .isGroupOfGuest(let name):
      "BindUser=\(name): the guest has a group \(name) of its own; remove it from the guest's /etc/group, or remove the setting"
    case .noNumber(let name):
      "BindUser=\(name): the guest uses all IDs from \(BoundUser.ids.lowerBound) to \(BoundUser.ids.upperBound); one must be free"
    case .guestHasFewer(let name, let count):
      "BindUser=\(name): the guest has \(count) users by PrivateUsers=, and needs \(BoundUser.ids.upperBound + 1) for a bound user"
    case .noHome(let name, let home):
      "BindUser=\(name): \(home.isEmpty ? "the user has no home directory" : "\(home) is not a home directory"); make the directory"
    case .homeCannotBeMapped(let name, let home, let refusal):
      "BindUser=\(name): the \(refusal.fileSystem) file system of \(home) cannot be idmapped (\(refusal.reason)); "
        + "use Bind= for the files that the guest needs"
    }
  }
}
