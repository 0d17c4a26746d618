extension Call {
  /// The request's bytes, with the NUL that ends them.
  public func encoded() throws -> [UInt8] {
    let method = "\(ManagerInterface.name).\(method)"
    return switch self {
    case .list: try encodeMessage(OutgoingRequest(method: method, parameters: NoParameters()))
    case .status(let name, let console):
      try encodeMessage(OutgoingRequest(method: method, parameters: StatusParameters(name: name, console: console)))
    case .why(let name), .wake(let name), .thaw(let name):
      try encodeMessage(OutgoingRequest(method: method, parameters: NameParameters(name: name)))
    case .sleep(let name, let now), .freeze(let name, let now):
      try encodeMessage(OutgoingRequest(method: method, parameters: SleepParameters(name: name, now: now)))
    case .attach(let name, let terminal, let size):
      try encodeMessage(
        OutgoingRequest(
          method: method, parameters: TerminalParameters(name: name, terminal: terminal, size: size), upgrade: true))
    case .resize(let name, let terminal, let size):
      try encodeMessage(
        OutgoingRequest(method: method, parameters: TerminalParameters(name: name, terminal: terminal, size: size)))
    }
  }

  /// Reads the reply to this call from a message without its NUL.
  ///
  /// - Throws: `UnexpectedReply` when it is no reply to this call. An error of the interface itself is a `Reply.failure`.
  public func decodeReply(_ bytes: [UInt8]) throws(UnexpectedReply) -> Reply {
    do {
      if let name = try decode(IncomingError.self, bytes).error { return .failure(try ManagerError(name, bytes)) }
      return switch self {
      case .list: .list(try result(ListResult.self, bytes).guests)
      case .status: .status(try result(GuestResult<GuestStatus>.self, bytes).guest)
      case .why: .why(try result(GuestResult<GuestExplanation>.self, bytes).guest)
      case .wake, .sleep, .freeze, .thaw, .resize: .done
      case .attach: .attached
      }
    } catch let error as UnexpectedReply {
      throw error
    } catch {
      throw .malformed
    }
  }
}

/// A daemon's answer that the caller cannot use: it speaks another version of the interface.
public enum UnexpectedReply: Error, Equatable, Sendable, CustomStringConvertible {
  /// It is not JSON, or not the JSON of this reply.
  case malformed
  /// An error that is not of the interface, such as `org.varlink.service.MethodNotFound`.
  case error(String)

  public var description: String {
    switch self {
    case .malformed: "the daemon's answer cannot be understood: it is of another version"
    case .error(let name): "the daemon answered \(name): it is of another version"
    }
  }
}

extension Reply {
  /// The reply's bytes, with the NUL that ends them.
  public func encoded() throws -> [UInt8] {
    switch self {
    case .list(let guests): try encodeMessage(OutgoingReply(parameters: ListResult(guests: guests)))
    case .status(let guest): try encodeMessage(OutgoingReply(parameters: GuestResult(guest: guest)))
    case .why(let guest): try encodeMessage(OutgoingReply(parameters: GuestResult(guest: guest)))
    case .done, .attached: try encodeMessage(OutgoingReply(parameters: NoParameters()))
    case .failure(.noSuchGuest(let name)):
      try encodeMessage(OutgoingReply(error: ManagerInterface.noSuchGuest, parameters: NameParameters(name: name)))
    case .failure(.wakeFailed(let name, let reason)):
      try encodeMessage(
        OutgoingReply(error: ManagerInterface.wakeFailed, parameters: FailureParameters(name: name, reason: reason)))
    case .failure(.sleepFailed(let name, let reason)):
      try encodeMessage(
        OutgoingReply(error: ManagerInterface.sleepFailed, parameters: FailureParameters(name: name, reason: reason)))
    case .failure(.freezeFailed(let name, let reason)):
      try encodeMessage(
        OutgoingReply(error: ManagerInterface.freezeFailed, parameters: FailureParameters(name: name, reason: reason)))
    case .failure(.consoleFailed(let name, let reason)):
      try encodeMessage(
        OutgoingReply(error: ManagerInterface.consoleFailed, parameters: FailureParameters(name: name, reason: reason)))
    }
  }
}

extension ManagerError {
  fileprivate init(_ error: String, _ bytes: [UInt8]) throws {
    switch error {
    case ManagerInterface.noSuchGuest:
      self = .noSuchGuest(name: try result(NameParameters.self, bytes).name)
    case ManagerInterface.wakeFailed:
      let parameters = try result(FailureParameters.self, bytes)
      self = .wakeFailed(name: parameters.name, reason: parameters.reason)
    case ManagerInterface.sleepFailed:
      let parameters = try result(FailureParameters.self, bytes)
      self = .sleepFailed(name: parameters.name, reason: parameters.reason)
    case ManagerInterface.freezeFailed:
      let parameters = try result(FailureParameters.self, bytes)
      self = .freezeFailed(name: parameters.name, reason: parameters.reason)
    case ManagerInterface.consoleFailed:
      let parameters = try result(FailureParameters.self, bytes)
      self = .consoleFailed(name: parameters.name, reason: parameters.reason)
    default: throw UnexpectedReply.error(error)
    }
  }
}

private func result<Result: Decodable>(_ type: Result.Type, _ bytes: [UInt8]) throws -> Result {
  guard let result = try decode(IncomingReply<Result>.self, bytes).parameters else { throw UnexpectedReply.malformed }
  return result
}
