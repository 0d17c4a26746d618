/// Why a user of the host cannot be made known to a guest: `BindUser=` asks for what cannot be.
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
      "BindUser=\(name): that is the user that stands for nobody; name a person's"
    case .isOfSystem(let name, let uid):
      "BindUser=\(name): that is a user of the system, number \(uid), and the guest has its own; name a person's, from 1000 on"
    case .isUserOfGuest(let name):
      "BindUser=\(name): the guest has a user \(name) of its own; remove him from its /etc/passwd, or take the setting out"
    case .isGroupOfGuest(let name):
      "BindUser=\(name): the guest has a group \(name) of its own; remove it from its /etc/group, or take the setting out"
    case .noNumber(let name):
      "BindUser=\(name): the guest has users for all numbers from \(BoundUser.ids.lowerBound) to "
        + "\(BoundUser.ids.upperBound), of which one has to be free"
    case .guestHasFewer(let name, let count):
      "BindUser=\(name): the guest has \(count) users by PrivateUsers=, and needs \(BoundUser.ids.upperBound + 1) for a user "
        + "of the host"
    case .noHome(let name, let home):
      "BindUser=\(name): \(home.isEmpty ? "there is no home" : "\(home) is no home") to be bound; make the directory"
    case .homeCannotBeMapped(let name, let home, let refusal):
      "BindUser=\(name): the \(refusal.fileSystem) file system of \(home) cannot be mounted with mapped owners "
        + "(\(refusal.reason)); use Bind= for what the guest is to see of it"
    }
  }
}
