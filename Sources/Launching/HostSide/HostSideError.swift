import Linux

/// Why the host's part of a start cannot be made.
public enum HostSideError: Error, Equatable, CustomStringConvertible {
  /// A credential cannot be read.
  case credential(CredentialError)
  /// The journal cannot be linked.
  case journal(JournalError)
  /// A directory, file or mount cannot be made.
  case system(SystemError)

  public var description: String {
    switch self {
    case .credential(let error): error.description
    case .journal(let error): error.description
    case .system(let error): error.description
    }
  }
}
