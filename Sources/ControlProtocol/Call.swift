/// A call of `io.dormouse.Manager`.
public enum Call: Equatable, Sendable {
  /// Lists all guests, sorted by name.
  case list
  /// Describes one guest; with `console` the reply has the end of its console output.
  case status(name: String, console: Bool)
  /// Explains what keeps a guest awake, or what would wake it.
  case why(name: String)
  /// Starts a guest. The reply comes when the guest is ready, at once if it already is.
  case wake(name: String)
  /// Stops a guest. The reply comes when the guest has ended, at once if none runs. A guest in use is not stopped, unless `now`.
  case sleep(name: String, now: Bool)
  /// Freezes a running guest. The reply comes when it is frozen. A guest in use is not frozen, unless `now`.
  case freeze(name: String, now: Bool)
  /// Thaws a frozen guest.
  case thaw(name: String)
  /// Subscribes to the state of one guest, or of all: the first reply has the state now, each further one a change.
  case subscribeGuests(name: String?)
  /// Connects to a terminal of a guest; nil is its console. `size` is the size of the client's own terminal.
  case attach(name: String, terminal: Int?, size: TerminalSize?)
  /// Reports that the client's own terminal has another size.
  case resize(name: String, terminal: Int?, size: TerminalSize)
  /// Reads the guest files again. The reply comes when each file is in force, or will be from its guest's next start on.
  case reload
}

/// The size of a terminal in characters.
public struct TerminalSize: Equatable, Sendable {
  /// Lines of text; 0 if unknown.
  public var rows: UInt16
  /// Characters in a line; 0 if unknown.
  public var columns: UInt16

  public init(rows: UInt16, columns: UInt16) {
    self.rows = rows
    self.columns = columns
  }
}

extension Call {
  /// Whether the reply may be delayed until a guest changes its state.
  public var mayWait: Bool {
    switch self {
    case .wake, .sleep, .freeze, .subscribeGuests: true
    case .list, .status, .why, .thaw, .attach, .resize, .reload: false
    }
  }
}

// The client's side.
extension Call {
  /// The method's entry in the table.
  var method: Method {
    switch self {
    case .list: .list
    case .status: .status
    case .why: .why
    case .wake: .wake
    case .sleep: .sleep
    case .freeze: .freeze
    case .thaw: .thaw
    case .subscribeGuests: .subscribeGuests
    case .attach: .attach
    case .resize: .resize
    case .reload: .reload
    }
  }

  private var arguments: Arguments {
    switch self {
    case .list, .reload: [:]
    case .status(let name, let console): [.guest: .string(name), .console: .bool(console)]
    case .why(let name), .wake(let name), .thaw(let name): [.guest: .string(name)]
    case .sleep(let name, let now), .freeze(let name, let now): [.guest: .string(name), .now: .bool(now)]
    case .subscribeGuests(let name): [.optionalGuest: Argument(name)]
    case .attach(let name, let terminal, let size): Self.terminal(name, terminal, size)
    case .resize(let name, let terminal, let size): Self.terminal(name, terminal, size)
    }
  }

  private static func terminal(_ name: String, _ terminal: Int?, _ size: TerminalSize?) -> Arguments {
    [
      .guest: .string(name), .terminal: Argument(terminal), .rows: Argument((size?.rows).map(Int.init)),
      .columns: Argument((size?.columns).map(Int.init)),
    ]
  }

  /// Returns the request's bytes, with the NUL that ends them.
  public func encoded() throws(NotEncodable) -> [UInt8] {
    let flag = method.flag
    return try encodeMessage(
      OutgoingRequest(
        method: "\(Interface.managerName).\(method.name)", parameters: arguments, more: flag == .more ? true : nil,
        upgrade: flag == .upgrade ? true : nil))
  }

  /// Reads a reply to this call from a message without its NUL.
  ///
  /// - Throws: `UnexpectedReply` when it is no reply to this call. An error of the interface itself is a `Reply.failure`.
  public func decodeReply(_ message: [UInt8]) throws(UnexpectedReply) -> Reply {
    if let name = try decode(ReplyHead.self, message).error { return .failure(try ManagerError(name, message)) }
    return try method.reply.decode(message)
  }

  /// Whether further replies to the same call follow this one.
  public static func continues(after message: [UInt8]) throws(UnexpectedReply) -> Bool {
    try decode(ReplyHead.self, message).continues ?? false
  }
}

/// A reply that the client cannot use: the daemon has another version of the interface.
public enum UnexpectedReply: Error, Equatable, Sendable, CustomStringConvertible {
  /// It is not JSON, or not the JSON of this reply.
  case malformed
  /// An error that the interface does not have, such as `org.varlink.service.MethodNotFound`.
  case error(String)

  public var description: String {
    switch self {
    case .malformed: "the daemon's reply cannot be read: it has another version"
    case .error(let name): "the daemon replied \(name): it has another version"
    }
  }
}
