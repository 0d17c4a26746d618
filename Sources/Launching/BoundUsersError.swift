import Linux
import Planning

/// Why the users of `BindUser=` cannot be found.
public enum BoundUsersError: Error, Equatable, CustomStringConvertible {
  /// The guest's file asks for a user that cannot be bound.
  case user(BindUserError)
  /// The user namespace that maps a home directory cannot be made.
  case launch(LaunchError)
  /// The host's user database cannot be read.
  case system(SystemError)

  public var description: String {
    switch self {
    case .user(let error): error.description
    case .launch(let error): error.description
    case .system(let error): error.description
    }
  }
}
