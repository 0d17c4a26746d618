/// A reply to a `Call`.
public enum Reply: Equatable, Sendable {
  /// To `list`.
  case list([GuestSummary])
  /// To `status`.
  case status(GuestStatus)
  /// To `why`.
  case why(GuestExplanation)
  /// To `subscribeGuests`.
  case guests(GuestChanges)
  /// To `wake`, `sleep`, `freeze`, `thaw` and `resize`.
  case done
  /// To `attach`. What follows on the connection are the terminal's bytes and no messages.
  case attached
  case failure(ManagerError)

  /// Returns the reply's bytes, with the NUL that ends them. `continues` says that further replies to the same call follow.
  public func encoded(continues: Bool = false) throws(NotEncodable) -> [UInt8] {
    switch self {
    case .list(let guests): try Self.encode(ListResult(guests: guests), continues)
    case .status(let guest): try Self.encode(GuestResult(guest: guest), continues)
    case .why(let guest): try Self.encode(GuestResult(guest: guest), continues)
    case .guests(let changes): try Self.encode(changes, continues)
    case .done, .attached: try Self.encode(Arguments(), continues)
    case .failure(let error):
      try encodeMessage(
        OutgoingReply(error: "\(Interface.managerName).\(error.type.name)", parameters: error.arguments))
    }
  }

  private static func encode(_ parameters: some Encodable, _ continues: Bool) throws(NotEncodable) -> [UInt8] {
    try encodeMessage(OutgoingReply(continues: continues ? true : nil, parameters: parameters))
  }
}

/// A reply to `SubscribeGuests`: guests as they are now, and the names of those that are no more.
public struct GuestChanges: Codable, Equatable, Sendable {
  /// The first reply has all guests, sorted by name; each further one those whose state has changed.
  public var guests: [GuestSummary]
  /// Guests whose files were removed and that have ended.
  public var removed: [String]

  public init(guests: [GuestSummary] = [], removed: [String] = []) {
    self.guests = guests
    self.removed = removed
  }
}

struct ListResult: Codable {
  let guests: [GuestSummary]
}

struct GuestResult<Guest: Codable>: Codable {
  let guest: Guest
}

extension ReplyType {
  static let guestList = ReplyType([Field("guests", .array(.named("GuestSummary")))], ListResult.self) {
    .list($0.guests)
  }
  static let guestStatus = ReplyType([Field("guest", .named("GuestStatus"))], GuestResult<GuestStatus>.self) {
    .status($0.guest)
  }
  static let explanation = ReplyType(
    [Field("guest", .named("GuestExplanation"))], GuestResult<GuestExplanation>.self
  ) { .why($0.guest) }
  static let changes = ReplyType(
    [Field("guests", .array(.named("GuestSummary"))), Field("removed", .array(.string))], GuestChanges.self
  ) { .guests($0) }
  static let nothing = ReplyType(.done)
  static let attached = ReplyType(.attached)
}
