/// Turns the bytes of a request into what is to be done about it: a value, so that no socket is needed to test it.
public struct Dispatcher: Sendable {
  /// What a message means.
  public enum Outcome: Equatable, Sendable {
    /// Carry this out; send `Reply.encoded()`, unless the caller wants no reply (`oneway`).
    case call(Call, oneway: Bool)
    /// Send these bytes, which end in NUL; none when the caller wants no reply.
    case reply([UInt8])
    /// This is no Varlink; close the connection.
    case violation
  }

  private let info: ServiceInfo

  public init(info: ServiceInfo) { self.info = info }

  /// Looks at one message of a client, without its NUL.
  public func dispatch(_ message: [UInt8]) -> Outcome {
    guard let request = try? decode(Request.self, message) else { return .violation }
    let oneway = request.oneway ?? false
    if oneway && request.more ?? false { return .violation }
    switch Result(catching: { () throws(ServiceError) in try resolve(request) }) {
    case .success(.call(let call)): return .call(call, oneway: oneway)
    case .success(.info): return reply(unless: oneway) { try encodeMessage(OutgoingReply(parameters: info)) }
    case .success(.description(let text)):
      let result = OutgoingReply(parameters: DescriptionResult(description: text))
      return reply(unless: oneway) { try encodeMessage(result) }
    case .failure(let error): return reply(unless: oneway) { try error.encoded() }
    }
  }

  private func reply(unless oneway: Bool, _ encode: () throws -> [UInt8]) -> Outcome {
    if oneway { return .reply([]) }
    guard let bytes = try? encode() else { return .violation }
    return .reply(bytes)
  }

  private enum Target {
    case call(Call)
    case info
    case description(String)
  }

  private func resolve(_ request: Request) throws(ServiceError) -> Target {
    let parameters = request.parameters ?? RequestParameters()
    if request.upgrade ?? false {
      if request.method != "\(ManagerInterface.name).Attach" { throw .methodNotImplemented(request.method) }
      return .call(try Self.attach(parameters))
    }
    switch request.method {
    case "\(ManagerInterface.name).List":
      try parameters.check(against: [])
      return .call(.list)
    case "\(ManagerInterface.name).Status":
      try parameters.check(against: ["name", "console"])
      return .call(.status(name: try parameters.requiredName(), console: parameters.console ?? false))
    case "\(ManagerInterface.name).Why":
      try parameters.check(against: ["name"])
      return .call(.why(name: try parameters.requiredName()))
    case "\(ManagerInterface.name).Wake":
      try parameters.check(against: ["name"])
      return .call(.wake(name: try parameters.requiredName()))
    case "\(ManagerInterface.name).Sleep":
      try parameters.check(against: ["name", "now"])
      return .call(.sleep(name: try parameters.requiredName(), now: parameters.now ?? false))
    case "\(ManagerInterface.name).Freeze":
      try parameters.check(against: ["name", "now"])
      return .call(.freeze(name: try parameters.requiredName(), now: parameters.now ?? false))
    case "\(ManagerInterface.name).Thaw":
      try parameters.check(against: ["name"])
      return .call(.thaw(name: try parameters.requiredName()))
    // What it is for is the connection after it.
    case "\(ManagerInterface.name).Attach": throw .invalidParameter("upgrade")
    case "\(ManagerInterface.name).Resize":
      try parameters.check(against: ["name", "terminal", "rows", "columns"])
      let name = try parameters.requiredName()
      guard let size = try parameters.size() else {
        throw .invalidParameter(parameters.rows == nil ? "rows" : "columns")
      }
      return .call(.resize(name: name, terminal: parameters.terminal, size: size))
    case "\(ServiceInterface.name).GetInfo":
      try parameters.check(against: [])
      return .info
    case "\(ServiceInterface.name).GetInterfaceDescription":
      try parameters.check(against: ["interface"])
      return .description(try Self.description(of: parameters.interface))
    default: throw Self.unknown(request.method)
    }
  }

  private static func attach(_ parameters: RequestParameters) throws(ServiceError) -> Call {
    try parameters.check(against: ["name", "terminal", "rows", "columns"])
    return .attach(name: try parameters.requiredName(), terminal: parameters.terminal, size: try parameters.size())
  }

  private static func description(of interface: String?) throws(ServiceError) -> String {
    switch interface {
    case nil: throw .invalidParameter("interface")
    case ManagerInterface.name: ManagerInterface.description
    case ServiceInterface.name: ServiceInterface.description
    case let other?: throw .interfaceNotFound(other)
    }
  }

  private static func unknown(_ method: String) -> ServiceError {
    guard let dot = method.lastIndex(of: ".") else { return .invalidParameter("method") }
    let interface = String(method[..<dot])
    switch interface {
    case ManagerInterface.name, ServiceInterface.name: return .methodNotFound(method)
    default: return .interfaceNotFound(interface)
    }
  }
}

extension RequestParameters {
  /// - Throws: `invalidParameter` with the first one that the method does not have or that is of a wrong type.
  fileprivate func check(against known: [String]) throws(ServiceError) {
    if let wrong = given.first(where: { !known.contains($0) }) ?? invalid { throw .invalidParameter(wrong) }
  }

  /// nil when it is not given.
  fileprivate func size() throws(ServiceError) -> TerminalSize? {
    guard let rows, let columns else { return nil }
    guard let rows = UInt16(exactly: rows) else { throw .invalidParameter("rows") }
    guard let columns = UInt16(exactly: columns) else { throw .invalidParameter("columns") }
    return TerminalSize(rows: rows, columns: columns)
  }

  fileprivate func requiredName() throws(ServiceError) -> String {
    guard let name else { throw .invalidParameter("name") }
    return name
  }
}
