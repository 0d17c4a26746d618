import GuestSpec
import Launching
import Linux
import Planning

/// Why a guest could not be started.
enum StartError: Error, CustomStringConvertible {
  /// The guest's files ask for something impossible.
  case plan(PlanError)
  /// A credential cannot be read.
  case credential(CredentialError)
  /// The journal cannot be linked.
  case journal(JournalError)
  /// The guest cannot have the users that its file asks for.
  case users(UsersError)
  /// Other users of the host could execute set-user-ID programs that root in the guest leaves in this directory.
  case exposed(ExposedDirectory)
  /// Another system uses the guest's root: this guest, or one that this daemon does not run.
  case busy(root: String, guest: String?)
  /// A user of `BindUser=` cannot be bound.
  case boundUser(BindUserError)
  /// A step between clone3(2) and execve(2) failed.
  case launch(LaunchError)
  /// A system call before the launch failed.
  case system(SystemError)
  /// The guest would write to a file system that is nearly full.
  case noSpace(SpaceShortage)
  /// The packet filter's rules of an earlier instance cannot be removed.
  case rules(NftablesError)

  var description: String {
    switch self {
    case .plan(let error): error.description
    case .credential(let error): error.description
    case .journal(let error): error.description
    case .users(let error): error.description
    case .exposed(let directory): directory.problem
    case .busy(let root, let guest?):
      "Directory=: the guest \(guest) uses \(root), and two systems on a tree to which one writes soon break it; give each its "
        + "own copy, or write Volatile=overlay in [Files] of both"
    case .busy(let root, nil):
      "Directory=: systemd-nspawn, machinectl or another dormoused uses \(root) and has locked it; stop that, or give this "
        + "guest its own copy"
    case .boundUser(let error): error.description
    case .launch(let error): error.description
    case .system(let error): error.description
    case .noSpace(let shortage): shortage.description
    case .rules(let error): NetworkError.rules(error).description
    }
  }
}

extension StartError {
  init(_ error: UserChoiceError) {
    switch error {
    case .users(let error): self = .users(error)
    case .launch(let error): self = .launch(error)
    case .system(let error): self = .system(error)
    }
  }

  init(_ error: BoundUsersError) {
    switch error {
    case .user(let error): self = .boundUser(error)
    case .launch(let error): self = .launch(error)
    case .system(let error): self = .system(error)
    }
  }

  init(_ error: HostSideError) {
    switch error {
    case .credential(let error): self = .credential(error)
    case .journal(let error): self = .journal(error)
    case .system(let error): self = .system(error)
    }
  }

  init(_ error: NetworkError) {
    switch error {
    case .system(let error): self = .system(error)
    case .rules(let error): self = .rules(error)
    }
  }
}
