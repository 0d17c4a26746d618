/// Why no process of a guest serves a socket, or will not. The log, `status`, `why`, `check` and JSON take their words from here.
public enum Unserved: Equatable, Sendable {
  /// No enabled `.socket` unit of the guest has the address, so its systemd closed the socket.
  case noUnit(Listen, near: NearMiss?)
  /// The unit that has the address failed; `result` is its property Result in systemd. `cause` is the service whose failure caused that.
  case unitFailed(unit: String, result: String, cause: Cause?)
  /// The program of the unit's service cannot be executed.
  case noProgram(unit: String, cause: Cause)
  /// The service of the unit does not exist in the guest, or is masked.
  case noService(unit: String, service: String)
  /// The unit that has the address was not started.
  case notStarted(unit: String, log: String)
  /// The guest took the socket, and closed it later.
  case letGo(unit: String?)
  /// The guest has no systemd, and none of its processes has the socket open.
  case notTaken

  /// The unit whose failure made a `.socket` unit fail, its property Result in systemd, and the last line that it logged.
  public struct Cause: Equatable, Sendable {
    public var unit: String
    public var result: String
    public var log: String

    public init(unit: String, result: String, log: String) {
      self.unit = unit
      self.result = result
      self.log = log
    }
  }

  /// The unit in the guest that has the address.
  public var unit: String? {
    switch self {
    case .noUnit, .notTaken: nil
    case .unitFailed(let unit, _, _), .noProgram(let unit, _), .noService(let unit, _), .notStarted(let unit, _): unit
    case .letGo(let unit): unit
    }
  }

  /// The property Result in systemd of that unit, if it failed.
  public var result: String? {
    switch self {
    case .unitFailed(_, let result, _): result
    case .noUnit, .noProgram, .noService, .notStarted, .letGo, .notTaken: nil
    }
  }
}

extension Unserved: CustomStringConvertible {
  /// The reason, and what would help.
  public var description: String {
    switch self {
    case .noUnit(let listen, let near):
      "no enabled .socket unit in the guest has this address, so systemd in the guest closes the socket; "
        + (near?.description ?? "enable a unit with \(listen.asWritten) in the guest")
    case .unitFailed(let unit, let result, nil):
      "\(unit) in the guest has failed (\(result)); see `systemctl status \(unit)` there"
    case .unitFailed(let unit, let result, .some(let cause)):
      "\(unit) in the guest has failed (\(result)), because of \(cause)"
    case .noProgram(let unit, let cause):
      "the program of \(cause.unit), which \(unit) in the guest starts, cannot be executed\(cause.said)"
    case .noService(let unit, let service):
      "\(unit) in the guest has this address, but no \(service) to start; write that unit, or disable \(unit)"
    case .notStarted(let unit, let log):
      "\(unit) in the guest has this address, but was not started\(log.isEmpty ? "" : ": \"\(log)\""); see "
        + "`systemctl status \(unit)` there"
    case .letGo(nil): "the guest took it, and let it go"
    case .letGo(.some(let unit)):
      "\(unit) in the guest has this address, and has let it go: it has failed, or was stopped; see `systemctl status \(unit)` "
        + "there"
    case .notTaken:
      "no process of the guest has it open; its program has to take the sockets that it is started with (LISTEN_FDS)"
    }
  }
}

extension Unserved.Cause: CustomStringConvertible {
  /// `web.service (exit-code): "no database"`.
  public var description: String { "\(unit) (\(result))\(said)" }

  fileprivate var said: String { log.isEmpty ? "" : ": \"\(log)\"" }
}
