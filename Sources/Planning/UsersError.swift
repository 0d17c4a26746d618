/// Why a guest cannot have the users that its files ask for.
public enum UsersError: Error, Equatable, Sendable, CustomStringConvertible {
  case changeIsUnfinished(RootOwner)
  case rootHasNoRange(RootOwner)
  case rootIsShifted(RootOwner)
  case rootCannotBeMapped(RootOwner, MappingRefusal)
  case hostIsNotGivenAway(RootOwner)
  case noFreeRange

  public var description: String {
    switch self {
    case .changeIsUnfinished(let owner):
      "a change of the owners of the files of \(owner.path) was interrupted, so they belong to different ranges; "
        + "write PrivateUsersOwnership=chown to complete it, or change the owners by hand"
    case .rootHasNoRange(let owner):
      "PrivateUsers=yes takes the range that the root belongs to, but \(owner.path) belongs to user \(owner.user) and "
        + "group \(owner.group), which are not in the same range; write PrivateUsers=pick"
    case .rootIsShifted(let owner):
      "\(owner.path) belongs to user \(owner.user), so its owners cannot be mapped; "
        + "write PrivateUsers=yes for the range that it belongs to, or PrivateUsersOwnership=chown to change the owners"
    case .rootCannotBeMapped(let owner, let refusal):
      "the \(refusal.fileSystem) file system of \(owner.path) cannot be idmapped (\(refusal.reason)); "
        + "write PrivateUsersOwnership=chown to change the owners of the files, or PrivateUsers=no"
    case .hostIsNotGivenAway(let owner):
      "the files of \(owner.path) are the host's own and their owners are not changed; write PrivateUsers=no"
    case .noFreeRange:
      "no free range of user IDs was found; write PrivateUsers=FIRST:COUNT for one"
    }
  }
}
