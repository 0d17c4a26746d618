/// The errors of `io.dormouse.Manager`.
public enum ManagerError: Error, Equatable, Sendable, CustomStringConvertible {
  case noSuchGuest(name: String)
  case badSetting(name: String, reason: String)
  case wakeFailed(name: String, reason: String)
  case sleepFailed(name: String, reason: String)
  case freezeFailed(name: String, reason: String)
  case consoleFailed(name: String, reason: String)
  case reloadFailed(reason: String)
  case tooManySubscribers
  case tooManyWaiting
  case subscriberTooSlow

  public var description: String {
    switch self {
    case .noSuchGuest(let name): "there is no guest \(name); `dormouse list` shows the guests"
    case .badSetting(let name, let reason): "\(name) is not managed, because its file has an error: \(reason)"
    case .wakeFailed(let name, let reason): "cannot wake \(name): \(reason)"
    case .sleepFailed(let name, let reason): "cannot stop \(name): \(reason)"
    case .freezeFailed(let name, let reason): "cannot freeze \(name): \(reason)"
    case .consoleFailed(let name, let reason): "cannot connect to a terminal of \(name): \(reason)"
    case .reloadFailed(let reason): "files have errors: \(reason)"
    case .tooManySubscribers: "the daemon has as many subscribers as it serves at once"
    case .tooManyWaiting: "as many calls wait for guests as the daemon holds at once; try again when some are answered"
    case .subscriberTooSlow: "the subscription has ended: replies were not read in time"
    }
  }

  /// One error's declaration, and how a client reads its fields.
  private struct Entry: Sendable {
    let type: ErrorType
    let read: @Sendable (Arguments) throws(ServiceError) -> ManagerError

    init(_ type: ErrorType, _ read: @escaping @Sendable (Arguments) throws(ServiceError) -> ManagerError) {
      self.type = type
      self.read = read
    }

    /// An error about a guest that has a reason.
    init(_ type: ErrorType, of error: @escaping @Sendable (String, String) -> ManagerError) {
      self.init(type) { fields throws(ServiceError) in error(try fields.string(.guest), try fields.string(.reason)) }
    }
  }

  private static let entries = [
    Entry(.noSuchGuest) { fields throws(ServiceError) in .noSuchGuest(name: try fields.string(.guest)) },
    Entry(.badSetting, of: ManagerError.badSetting),
    Entry(.wakeFailed, of: ManagerError.wakeFailed),
    Entry(.sleepFailed, of: ManagerError.sleepFailed),
    Entry(.freezeFailed, of: ManagerError.freezeFailed),
    Entry(.consoleFailed, of: ManagerError.consoleFailed),
    Entry(.reloadFailed) { fields throws(ServiceError) in .reloadFailed(reason: try fields.string(.reason)) },
    Entry(.tooManySubscribers) { _ in .tooManySubscribers },
    Entry(.tooManyWaiting) { _ in .tooManyWaiting },
    Entry(.subscriberTooSlow) { _ in .subscriberTooSlow },
  ]

  /// The declarations of all errors, in the order of the description.
  static var types: [ErrorType] { entries.map(\.type) }

  /// The error's declaration.
  var type: ErrorType {
    switch self {
    case .noSuchGuest: .noSuchGuest
    case .badSetting: .badSetting
    case .wakeFailed: .wakeFailed
    case .sleepFailed: .sleepFailed
    case .freezeFailed: .freezeFailed
    case .consoleFailed: .consoleFailed
    case .reloadFailed: .reloadFailed
    case .tooManySubscribers: .tooManySubscribers
    case .tooManyWaiting: .tooManyWaiting
    case .subscriberTooSlow: .subscriberTooSlow
    }
  }

  /// The fields of the error's declaration.
  var arguments: Arguments {
    switch self {
    case .noSuchGuest(let name): [.guest: .string(name)]
    case .reloadFailed(let reason): [.reason: .string(reason)]
    case .badSetting(let name, let reason), .wakeFailed(let name, let reason), .sleepFailed(let name, let reason),
      .freezeFailed(let name, let reason),
      .consoleFailed(let name, let reason):
      [.guest: .string(name), .reason: .string(reason)]
    case .tooManySubscribers, .tooManyWaiting, .subscriberTooSlow: [:]
    }
  }

  /// Reads the error of this qualified name from a message without its NUL.
  init(_ name: String, _ message: [UInt8]) throws(UnexpectedReply) {
    guard let entry = Self.entries.first(where: { name == "\(Interface.managerName).\($0.type.name)" }) else {
      throw .error(name)
    }
    let fields = try decode(IncomingReply<Arguments>.self, message).parameters ?? [:]
    do throws(ServiceError) {
      self = try entry.read(fields)
    } catch {
      throw .malformed
    }
  }
}

extension ErrorType {
  static let noSuchGuest = ErrorType("NoSuchGuest", "There is no guest file of this name.", [.guest])
  static let badSetting = ErrorType(
    "BadSetting", "The guest's file has an error, so the guest is not managed.", [.guest, .reason])
  static let reloadFailed = ErrorType("ReloadFailed", "Guest files have errors. Those without are in force.", [.reason])
  static let wakeFailed = ErrorType("WakeFailed", "The guest did not become ready.", [.guest, .reason])
  static let sleepFailed = ErrorType("SleepFailed", "The guest is in use, or did not stop.", [.guest, .reason])
  static let freezeFailed = ErrorType(
    "FreezeFailed", "The guest is not running, is in use, or did not freeze.", [.guest, .reason])
  static let consoleFailed = ErrorType(
    "ConsoleFailed", "The guest is not running, is frozen, or has no such terminal.", [.guest, .reason])
  static let tooManySubscribers = ErrorType(
    "TooManySubscribers", "The daemon serves no more subscribers at once.")
  static let tooManyWaiting = ErrorType(
    "TooManyWaiting", "As many calls wait for guests as the daemon holds at once. The call was not carried out.")
  static let subscriberTooSlow = ErrorType(
    "SubscriberTooSlow",
    """
    The last reply to a subscription whose client did not read its replies in time. What happened since the reply before is lost:
    subscribe again for the state as it is then.
    """)
}
