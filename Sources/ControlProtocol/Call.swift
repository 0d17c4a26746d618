/// A call of `io.dormouse.Manager`, as typed values.
public enum Call: Equatable, Sendable {
  /// All guests, sorted by name.
  case list
  /// One guest in full, with what its console showed when `console`.
  case status(name: String, console: Bool)
  /// What keeps a guest awake, or would wake it.
  case why(name: String)
  /// Starts a guest; answered when it is ready, at once when it is already.
  case wake(name: String)
  /// Halts a guest; answered when it is gone, at once when it is already. Unless `now`, one that is in use is left alone.
  case sleep(name: String, now: Bool)
  /// Freezes a guest that serves; answered when it stands still. Unless `now`, one that is in use is left alone.
  case freeze(name: String, now: Bool)
  /// Lets a frozen guest go on.
  case thaw(name: String)
  /// Makes the connection carry what a terminal of a guest prints and what is typed there: nil is its console. `size` is that of the
  /// client's own terminal.
  case attach(name: String, terminal: Int?, size: TerminalSize?)
  /// The client's terminal has another size.
  case resize(name: String, terminal: Int?, size: TerminalSize)

  /// The method's name in the interface.
  public var method: String {
    switch self {
    case .list: "List"
    case .status: "Status"
    case .why: "Why"
    case .wake: "Wake"
    case .sleep: "Sleep"
    case .freeze: "Freeze"
    case .thaw: "Thaw"
    case .attach: "Attach"
    case .resize: "Resize"
    }
  }
}

/// How much room a terminal has, in characters.
public struct TerminalSize: Equatable, Sendable {
  /// Lines of text; 0 where that is not known.
  public var rows: UInt16
  /// Characters in a line; 0 where that is not known.
  public var columns: UInt16

  public init(rows: UInt16, columns: UInt16) {
    self.rows = rows
    self.columns = columns
  }
}

/// The answer to a `Call`.
public enum Reply: Equatable, Sendable {
  case list([GuestSummary])
  case status(GuestStatus)
  case why(GuestExplanation)
  /// To `wake`, `sleep`, `freeze`, `thaw` and `resize`.
  case done
  /// To `attach`: what follows on the connection are no messages.
  case attached
  case failure(ManagerError)
}

/// The errors of `io.dormouse.Manager`.
public enum ManagerError: Error, Equatable, Sendable, CustomStringConvertible {
  case noSuchGuest(name: String)
  case wakeFailed(name: String, reason: String)
  case sleepFailed(name: String, reason: String)
  case freezeFailed(name: String, reason: String)
  case consoleFailed(name: String, reason: String)

  public var description: String {
    switch self {
    case .noSuchGuest(let name): "there is no guest \(name); `dormouse list` shows those there are"
    case .wakeFailed(let name, let reason): "\(name) did not wake: \(reason)"
    case .sleepFailed(let name, let reason): "\(name) does not sleep: \(reason)"
    case .freezeFailed(let name, let reason): "\(name) is not frozen: \(reason)"
    case .consoleFailed(let name, let reason): "no terminal of \(name) can be had: \(reason)"
    }
  }
}
