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

/// A type of Varlink's language.
indirect enum ValueType: Hashable, Sendable {
  case bool, int, string
  /// A type that the interface declares.
  case named(String)
  case array(ValueType)
  /// The value may be null or missing.
  case optional(ValueType)

  /// As the description has it.
  var text: String {
    switch self {
    case .bool: "bool"
    case .int: "int"
    case .string: "string"
    case .named(let name): name
    case .array(let element): "[]\(element.text)"
    case .optional(let value): "?\(value.text)"
    }
  }

  var isOptional: Bool {
    if case .optional = self { true } else { false }
  }

  /// Whether a client may pass this argument. No method has a parameter of a named type or an array.
  func accepts(_ argument: Argument) -> Bool {
    switch (self, argument) {
    case (.bool, .bool), (.int, .int), (.string, .string), (.optional, .null): true
    case (.optional(let value), _): value.accepts(argument)
    case (.bool, _), (.int, _), (.string, _), (.named, _), (.array, _): false
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
