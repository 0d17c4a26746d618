/// Why a guest cannot have the users that its file asks for.
public enum UsersError: Error, Equatable, Sendable, CustomStringConvertible {
  case rootHasNoRange(RootOwner)
  case rootIsShifted(RootOwner)
  case rootCannotBeMapped(RootOwner, MappingRefusal)
  case hostIsNotGivenAway(RootOwner)
  case noFreeRange

  public var description: String {
    switch self {
    case .rootHasNoRange(let owner):
      "PrivateUsers=yes takes the range that the root belongs to, but \(owner.path) belongs to user \(owner.user) and "
        + "group \(owner.group), which are not of one; write PrivateUsers=pick"
    case .rootIsShifted(let owner):
      "\(owner.path) belongs to user \(owner.user), so its owners cannot be mapped; "
        + "write PrivateUsers=yes for the range that it belongs to, or PrivateUsersOwnership=chown to give it to another"
    case .rootCannotBeMapped(let owner, let refusal):
      "the \(refusal.fileSystem) file system of \(owner.path) cannot be mounted with mapped owners (\(refusal.reason)); "
        + "write PrivateUsersOwnership=chown to give the files to the guest's users, or PrivateUsers=no"
    case .hostIsNotGivenAway(let owner):
      "the files of \(owner.path) are the host's own and are not given to a guest's users; write PrivateUsers=no"
    case .noFreeRange:
      "no range of users was found that nobody else has; write PrivateUsers=FIRST:COUNT for one"
    }
  }
}
