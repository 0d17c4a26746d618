/// A Varlink interface. Its description, the decoding of its calls and its errors all come from this one table.
struct Interface: Sendable {
  /// The name, as in `io.dormouse.Manager`.
  let name: String
  /// What the interface is for. Each line becomes a comment of the description.
  let comment: String
  /// The named types, in Varlink's own language; empty where there are none.
  var types = ""
  /// Every method, in the order of the description.
  let methods: [Method]
  /// Every error, in the order of the description.
  let errors: [ErrorType]

  /// All interfaces of the service.
  static let all: [Interface] = [.manager, .service]

  /// What `varlinkctl introspect` prints.
  var description: String {
    let head = ["\(commentLines(comment))interface \(name)"] + (types.isEmpty ? [] : [types])
    return (head + methods.map(\.description) + errors.map(\.description)).joined(separator: "\n\n") + "\n"
  }

  /// Finds a method by its qualified name, `INTERFACE.METHOD`.
  static func method(_ qualified: String) throws(ServiceError) -> Method {
    guard let dot = qualified.lastIndex(of: ".") else { throw .invalidParameter("method") }
    let interface = try named(String(qualified[..<dot]))
    guard let method = interface.methods.first(where: { $0.name == qualified[dot...].dropFirst() }) else {
      throw .methodNotFound(qualified)
    }
    return method
  }

  static func named(_ name: String) throws(ServiceError) -> Interface {
    guard let interface = all.first(where: { $0.name == name }) else { throw .interfaceNotFound(name) }
    return interface
  }
}

/// A parameter of a method, or a field of a reply or an error.
struct Field: Hashable, Sendable {
  let name: String
  let type: ValueType

  init(_ name: String, _ type: ValueType) {
    self.name = name
    self.type = type
  }
}

/// A type of Varlink's language: a scalar or a type that the interface declares, an array of it, and either of them optional.
struct ValueType: Hashable, Sendable {
  private enum Element: Hashable {
    case bool, int, string
    case named(String)
  }

  private let element: Element
  private var isArray = false
  /// Whether the value may be null or missing.
  private(set) var isOptional = false

  private init(_ element: Element) { self.element = element }

  static let bool = ValueType(.bool)
  static let int = ValueType(.int)
  static let string = ValueType(.string)

  static func named(_ name: String) -> ValueType { ValueType(.named(name)) }

  static func array(_ element: ValueType) -> ValueType {
    var array = element
    array.isArray = true
    return array
  }

  static func optional(_ value: ValueType) -> ValueType {
    var optional = value
    optional.isOptional = true
    return optional
  }

  /// The type as the description has it.
  var text: String {
    let name =
      switch element {
      case .bool: "bool"
      case .int: "int"
      case .string: "string"
      case .named(let name): name
      }
    return (isOptional ? "?" : "") + (isArray ? "[]" : "") + name
  }

  /// Whether a client may pass this argument. No method has a parameter of a named type or an array.
  func accepts(_ argument: Argument) -> Bool {
    switch (element, argument) {
    case (_, .null): isOptional
    case (.bool, .bool), (.int, .int), (.string, .string): !isArray
    case (.bool, _), (.int, _), (.string, _), (.named, _): false
    }
  }
}

/// An error of an interface.
struct ErrorType: Sendable {
  let name: String
  let comment: String
  let fields: [Field]

  init(_ name: String, _ comment: String, _ fields: [Field] = []) {
    self.name = name
    self.comment = comment
    self.fields = fields
  }

  var description: String { "\(commentLines(comment))error \(name) (\(fieldList(fields)))" }
}

/// Fields as the description lists them.
func fieldList(_ fields: [Field]) -> String { fields.map { "\($0.name): \($0.type.text)" }.joined(separator: ", ") }

/// Each line with the sign of a comment before it.
func commentLines(_ text: String) -> String {
  text.split(separator: "\n").map { "# \($0)\n" }.joined()
}
