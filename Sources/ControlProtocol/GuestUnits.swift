/// The state of the units in a running guest, as the helper program dormouse-ask gets it from the guest's systemd. The guest controls all
/// texts.
public struct GuestUnits: Codable, Equatable, Sendable {
  /// The failed units, up to a small limit.
  public var failed: [FailedUnit]
  /// The loaded `.socket` units, up to a small limit.
  public var sockets: [SocketUnitStatus]

  public init(failed: [FailedUnit] = [], sockets: [SocketUnitStatus] = []) {
    self.failed = failed
    self.sockets = sockets
  }

  /// Decodes the output of dormouse-ask; nil when it is not valid.
  public init?(answer: [UInt8]) {
    do throws(UnexpectedReply) { self = try decode(Self.self, answer) } catch { return nil }
  }
}

/// A unit in a guest that has failed.
public struct FailedUnit: Codable, Equatable, Sendable, CustomStringConvertible {
  /// The unit's name.
  public var unit: String
  /// The unit's property Result in systemd: `exit-code`, `start-limit-hit`.
  public var result: String
  /// The exit status of a service's main process, or the signal that ended it.
  public var status: Int32
  /// The last line that the unit, or systemd about it, logged; empty if there is none.
  public var log: String

  public init(unit: String, result: String, status: Int32 = 0, log: String = "") {
    self.unit = unit
    self.result = result
    self.status = status
    self.log = log
  }

  /// `web.service has failed (exit-code): "no database"`.
  public var description: String { words("has failed") }

  /// The same words for a guest that does not run: `web.service had failed in its last run (exit-code): "no database"`.
  public var wordsOfLastRun: String { words("had failed in its last run") }

  private func words(_ verb: String) -> String { "\(unit) \(verb) (\(result))\(log.isEmpty ? "" : ": \"\(log)\"")" }
}

/// A `.socket` unit in a guest.
public struct SocketUnitStatus: Codable, Equatable, Sendable {
  /// The unit's name.
  public var unit: String
  /// systemd's ActiveState: `active`, `failed`.
  public var state: String
  /// The unit's property Result in systemd: `success`, `trigger-limit-hit`.
  public var result: String
  /// The addresses as systemd writes them: `Stream [::]:80`.
  public var listen: [String]
  /// The service that it starts; empty if there is none.
  public var service: String
  /// That service's LoadState: `loaded`, `not-found`.
  public var serviceLoad: String
  /// The last line that the unit, or systemd about it, logged; empty while the unit is active.
  public var log: String

  public init(
    unit: String, state: String, result: String, listen: [String], service: String = "", serviceLoad: String = "loaded",
    log: String = ""
  ) {
    self.unit = unit
    self.state = state
    self.result = result
    self.listen = listen
    self.service = service
    self.serviceLoad = serviceLoad
    self.log = log
  }
}

/// Why nobody serves at a socket of a guest that runs.
public struct UnservedSocket: Codable, Equatable, Sendable {
  /// The reason in a word.
  public var reason: UnservedReason
  /// The unit in the guest that has the address; null if none has.
  @OrNull public var unit: String?
  /// That unit's property Result in systemd; null unless it failed.
  @OrNull public var result: String?
  /// The reason in words, with what would help.
  public var text: String

  public init(reason: UnservedReason, text: String) {
    self.reason = reason
    self.text = text
  }
}

/// Why nobody serves at a socket.
public enum UnservedReason: ExtensibleEnum {
  /// No enabled `.socket` unit in the guest has the address.
  case noUnit
  /// As `noUnit`, but a unit has a similar address.
  case nearMiss
  /// As `nearMiss`: only the version of IP differs.
  case wrongFamily
  /// The unit that has the address failed.
  case unitFailed
  /// The program of its service cannot be executed.
  case noProgram
  /// Its service does not exist.
  case noService
  /// The unit that has the address was not started.
  case notStarted
  /// The guest took the socket, and closed it later.
  case letGo
  /// The guest has no systemd, and no process of it has the socket open.
  case notTaken
  /// A reason that this version does not know.
  case unrecognized(String)

  public static let known: [UnservedReason] = [
    .noUnit, .nearMiss, .wrongFamily, .unitFailed, .noProgram, .noService, .notStarted, .letGo, .notTaken,
  ]

  public var rawValue: String {
    switch self {
    case .noUnit: "noUnit"
    case .nearMiss: "nearMiss"
    case .wrongFamily: "wrongFamily"
    case .unitFailed: "unitFailed"
    case .noProgram: "noProgram"
    case .noService: "noService"
    case .notStarted: "notStarted"
    case .letGo: "letGo"
    case .notTaken: "notTaken"
    case .unrecognized(let word): word
    }
  }
}
