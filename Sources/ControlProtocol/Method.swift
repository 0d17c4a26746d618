/// A method of an interface: what the description says of it, and how its calls and replies are read.
struct Method: Sendable {
  /// A flag of the request without which a method cannot be called.
  enum Flag: String, Sendable {
    /// The call gets several replies.
    case more
    /// The connection carries something else after the reply.
    case upgrade
  }

  /// What a call of a method leads to.
  enum Target: Sendable {
    /// The daemon carries the call out.
    case call(Call)
    /// The service describes itself.
    case info
    /// The service describes an interface.
    case description(Interface)
  }

  let name: String
  let comment: String
  let parameters: [Field]
  let flag: Flag?
  let reply: ReplyType
  let errors: [ErrorType]
  /// Reads the arguments, which `check(_:)` has passed.
  let target: @Sendable (Arguments) throws(ServiceError) -> Target

  init(
    _ name: String, _ comment: String, _ parameters: [Field] = [], flag: Flag? = nil, reply: ReplyType,
    errors: [ErrorType] = [], target: @escaping @Sendable (Arguments) throws(ServiceError) -> Target
  ) {
    self.name = name
    self.comment = comment
    self.parameters = parameters
    self.flag = flag
    self.reply = reply
    self.errors = errors
    self.target = target
  }

  /// As it stands in the interface's description. The line about the flag is worded as systemd words it.
  var description: String {
    let notes =
      (errors.isEmpty ? "" : "# Errors: \(errors.map(\.name).joined(separator: ", "))\n")
      + (flag.map { "# [Requires '\($0.rawValue)' flag]\n" } ?? "")
    return "\(commentLines(comment))\(notes)method \(name)(\(fieldList(parameters))) -> (\(fieldList(reply.fields)))"
  }

  /// - Throws: `invalidParameter` with the first argument that the method does not have, that has a wrong type, or that is missing.
  func check(_ arguments: Arguments) throws(ServiceError) {
    for (name, argument) in arguments.values.sorted(by: { $0.key < $1.key }) {
      guard let field = parameters.first(where: { $0.name == name }), field.type.accepts(argument) else {
        throw .invalidParameter(name)
      }
    }
    for field in parameters where !field.type.isOptional && arguments.values[field.name] == nil {
      throw .invalidParameter(field.name)
    }
  }
}

/// What a method replies: the fields, and how a client reads them.
struct ReplyType: Sendable {
  let fields: [Field]
  /// Reads a message without its NUL.
  let decode: @Sendable (_ message: [UInt8]) throws(UnexpectedReply) -> Reply

  /// A reply of the fields that `type` reads.
  init<Result: Decodable & SendableMetatype>(
    _ fields: [Field], _ type: Result.Type, _ reply: @escaping @Sendable (Result) -> Reply
  ) {
    self.fields = fields
    decode = { message throws(UnexpectedReply) in
      guard let result = try ControlProtocol.decode(IncomingReply<Result>.self, message).parameters else {
        throw .malformed
      }
      return reply(result)
    }
  }

  /// A reply without fields.
  init(_ reply: Reply) {
    fields = []
    decode = { _ in reply }
  }
}
