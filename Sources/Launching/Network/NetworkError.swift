import Linux

/// Why the network of a guest cannot be made or undone.
public enum NetworkError: Error, Equatable, CustomStringConvertible {
  /// A request to the kernel failed, or the record of the network cannot be read or written.
  case system(SystemError)
  /// The packet filter's rules for `Port=` cannot be removed.
  case rules(NftablesError)

  public var description: String {
    switch self {
    case .system(let error): error.description
    case .rules(let error): "cannot remove the rules of Port=: \(error)"
    }
  }
}
