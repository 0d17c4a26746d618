/// Decides what to do about a client's request. It is a value, so that it can be tested without a socket.
public struct Dispatcher: Sendable {
  /// What to do about a request.
  public enum Outcome: Equatable, Sendable {
    /// Carry out the call.
    case call(Call, CallMode)
    /// Send these bytes, which end in NUL; none if the client wants no reply.
    case reply([UInt8])
    /// The bytes are no request: close the connection.
    case violation
  }

  private let info: ServiceInfo

  public init(info: ServiceInfo) { self.info = info }

  /// Reads one message of a client, without its NUL.
  public func dispatch(_ message: [UInt8]) -> Outcome {
    guard let request = try? decode(Request.self, message) else { return .violation }
    let oneway = request.oneway ?? false
    if oneway && request.more ?? false { return .violation }
    do throws(ServiceError) {
      let method = try Interface.method(request.method)
      switch try Self.target(of: request, method) {
      case .call(let call): return .call(call, oneway ? .oneway : method.flag == .more ? .more : .single)
      case .info: return reply(unless: oneway, OutgoingReply(parameters: info))
      case .description(let interface):
        return reply(unless: oneway, OutgoingReply(parameters: DescriptionResult(description: interface.description)))
      }
    } catch {
      if oneway { return .reply([]) }
      return Self.outcome { () throws(NotEncodable) in try error.encoded() }
    }
  }

  private func reply(unless oneway: Bool, _ reply: some Encodable) -> Outcome {
    if oneway { return .reply([]) }
    return Self.outcome { () throws(NotEncodable) in try encodeMessage(reply) }
  }

  private static func outcome(_ encode: () throws(NotEncodable) -> [UInt8]) -> Outcome {
    do throws(NotEncodable) {
      return .reply(try encode())
    } catch {
      return .violation
    }
  }

  private static func target(of request: Request, _ method: Method) throws(ServiceError) -> Method.Target {
    // A client that asks for another protocol must not be answered as if it had got one. With `more` it merely allows several replies.
    if request.upgrade ?? false && method.flag != .upgrade { throw .methodNotImplemented(request.method) }
    switch method.flag {
    case .more where request.more != true: throw .expectedMore
    // Varlink has no error for this one.
    case .upgrade where request.upgrade != true: throw .invalidParameter("upgrade")
    case .more, .upgrade, nil: break
    }
    let arguments = request.parameters ?? [:]
    try method.check(arguments)
    return try method.target(arguments)
  }
}

/// How many replies a client expects to a call.
public enum CallMode: Equatable, Sendable {
  /// None.
  case oneway
  /// One.
  case single
  /// Any number, of which all but the last have `continues`.
  case more
}
