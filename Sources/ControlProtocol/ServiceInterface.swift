// The interface `org.varlink.service`, which every Varlink service has. `varlinkctl info` and `introspect` call it.

extension Interface {
  static let serviceName = "org.varlink.service"

  /// Worded as Varlink's own documentation words it.
  static let service = Interface(
    name: serviceName,
    comment: """
      The Varlink Service Interface is provided by every varlink service. It describes the service and the interfaces it implements.
      """,
    methods: [.getInfo, .getInterfaceDescription],
    errors: [
      .interfaceNotFound, .methodNotFound, .methodNotImplemented, .invalidParameter, .permissionDenied, .expectedMore,
    ])
}

extension Method {
  static let getInfo = Method(
    "GetInfo",
    "Get a list of all the interfaces a service provides and information about the implementation.",
    reply: ReplyType(serviceReply: [
      Field("vendor", .string), Field("product", .string), Field("version", .string), Field("url", .string),
      Field("interfaces", .array(.string)),
    ])
  ) { _ in .info }

  static let getInterfaceDescription = Method(
    "GetInterfaceDescription", "Get the description of an interface that is implemented by this service.",
    [.interface], reply: ReplyType(serviceReply: [Field("description", .string)])
  ) { arguments throws(ServiceError) in .description(try Interface.named(try arguments.string(.interface))) }
}

extension Field {
  static let interface = Field("interface", .string)
  static let method = Field("method", .string)
  static let parameter = Field("parameter", .string)
}

extension ReplyType {
  /// A reply that only other programs read.
  fileprivate init(serviceReply fields: [Field]) {
    self.fields = fields
    decode = { _ throws(UnexpectedReply) in throw .malformed }
  }
}

/// Who answers, as `varlinkctl info` shows it.
public struct ServiceInfo: Codable, Equatable, Sendable {
  /// Who makes the program.
  public var vendor: String
  /// The program's name.
  public var product: String
  /// The daemon's version.
  public var version: String
  /// Where to read more about it; empty if there is no such place.
  public var url: String
  /// The names of the interfaces.
  public let interfaces: [String]

  public init(vendor: String = "Dormouse", product: String = "dormoused", version: String, url: String = "") {
    self.vendor = vendor
    self.product = product
    self.version = version
    self.url = url
    interfaces = Interface.all.map(\.name)
  }
}

struct DescriptionResult: Codable {
  let description: String
}

/// The errors of `org.varlink.service`, which any method may reply.
enum ServiceError: Error, Equatable {
  case interfaceNotFound(String)
  case methodNotFound(String)
  case methodNotImplemented(String)
  case invalidParameter(String)
  case expectedMore

  private var type: ErrorType {
    switch self {
    case .interfaceNotFound: .interfaceNotFound
    case .methodNotFound: .methodNotFound
    case .methodNotImplemented: .methodNotImplemented
    case .invalidParameter: .invalidParameter
    case .expectedMore: .expectedMore
    }
  }

  private var arguments: Arguments {
    switch self {
    case .interfaceNotFound(let interface): [.interface: .string(interface)]
    case .methodNotFound(let method), .methodNotImplemented(let method): [.method: .string(method)]
    case .invalidParameter(let parameter): [.parameter: .string(parameter)]
    case .expectedMore: [:]
    }
  }

  func encoded() throws(NotEncodable) -> [UInt8] {
    try encodeMessage(OutgoingReply(error: "\(Interface.serviceName).\(type.name)", parameters: arguments))
  }
}

extension ErrorType {
  static let interfaceNotFound = ErrorType(
    "InterfaceNotFound", "The requested interface was not found.", [.interface])
  static let methodNotFound = ErrorType("MethodNotFound", "The requested method was not found", [.method])
  static let methodNotImplemented = ErrorType(
    "MethodNotImplemented", "The interface defines the requested method, but the service does not implement it.",
    [.method])
  static let invalidParameter = ErrorType(
    "InvalidParameter", "One of the passed parameters is invalid.", [.parameter])
  static let permissionDenied = ErrorType("PermissionDenied", "Client is denied access")
  static let expectedMore = ErrorType(
    "ExpectedMore", "Method is expected to be called with 'more' set to true, but wasn't")
}
