/// The interface `org.varlink.service`, which every Varlink service has: what `varlinkctl info` and `introspect` ask.
enum ServiceInterface {
  static let name = "org.varlink.service"

  /// As it stands in Varlink's own documentation.
  static let description = #"""
    # The Varlink Service Interface is provided by every varlink service. It describes the service and the interfaces it implements.
    interface org.varlink.service

    # Get a list of all the interfaces a service provides and information about the implementation.
    method GetInfo() -> (
      vendor: string,
      product: string,
      version: string,
      url: string,
      interfaces: []string
    )

    # Get the description of an interface that is implemented by this service.
    method GetInterfaceDescription(interface: string) -> (description: string)

    # The requested interface was not found.
    error InterfaceNotFound (interface: string)

    # The requested method was not found
    error MethodNotFound (method: string)

    # The interface defines the requested method, but the service does not implement it.
    error MethodNotImplemented (method: string)

    # One of the passed parameters is invalid.
    error InvalidParameter (parameter: string)

    # Client is denied access
    error PermissionDenied ()

    # Method is expected to be called with 'more' set to true, but wasn't
    error ExpectedMore ()
    """#
}

/// Who answers, for `varlinkctl info`.
public struct ServiceInfo: Codable, Equatable, Sendable {
  /// Whose the program is.
  public var vendor: String
  /// The program's name.
  public var product: String
  /// The daemon's own.
  public var version: String
  /// Where there is more about it; empty when there is no such place.
  public var url: String
  /// The interfaces there are.
  public let interfaces: [String]

  public init(vendor: String = "Dormouse", product: String = "dormoused", version: String, url: String = "") {
    self.vendor = vendor
    self.product = product
    self.version = version
    self.url = url
    interfaces = [ManagerInterface.name, ServiceInterface.name]
  }
}

struct DescriptionResult: Codable {
  let description: String
}

/// An error that any service may answer with, whatever was called.
enum ServiceError: Error, Equatable {
  case interfaceNotFound(String)
  case methodNotFound(String)
  case methodNotImplemented(String)
  case invalidParameter(String)

  func encoded() throws -> [UInt8] {
    let (name, key, value) =
      switch self {
      case .interfaceNotFound(let interface): ("InterfaceNotFound", "interface", interface)
      case .methodNotFound(let method): ("MethodNotFound", "method", method)
      case .methodNotImplemented(let method): ("MethodNotImplemented", "method", method)
      case .invalidParameter(let parameter): ("InvalidParameter", "parameter", parameter)
      }
    return try encodeMessage(OutgoingReply(error: "\(ServiceInterface.name).\(name)", parameters: [key: value]))
  }
}
