/// A value that a client passes to a method, or a daemon with an error.
enum Argument: Hashable, Sendable {
  case null
  case bool(Bool)
  case int(Int)
  case string(String)
  /// An array, an object or a number with a fraction. Nothing in the interface takes one.
  case other
}

extension Argument: Codable {
  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int.self) {
      self = .int(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else {
      self = .other
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null, .other: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .int(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    }
  }
}

/// The arguments of a call or of an error, by the names of their fields.
struct Arguments: Equatable, Sendable {
  let values: [String: Argument]

  /// - Throws: `invalidParameter` when it is not there or no string.
  func string(_ field: Field) throws(ServiceError) -> String {
    guard case .string(let value) = values[field.name] else { throw .invalidParameter(field.name) }
    return value
  }

  /// nil when it is null or not there.
  func optionalString(_ field: Field) -> String? {
    if case .string(let value) = values[field.name] { value } else { nil }
  }

  /// nil when it is null or not there.
  func optionalInt(_ field: Field) -> Int? {
    if case .int(let value) = values[field.name] { value } else { nil }
  }

  /// false when it is null or not there.
  func flag(_ field: Field) -> Bool { values[field.name] == .bool(true) }

  /// The size of a terminal; nil when a part of it is not given.
  ///
  /// - Throws: `invalidParameter` when a part of it is out of range.
  func size() throws(ServiceError) -> TerminalSize? {
    guard let rows = optionalInt(.rows), let columns = optionalInt(.columns) else { return nil }
    guard let rows = UInt16(exactly: rows) else { throw .invalidParameter(Field.rows.name) }
    guard let columns = UInt16(exactly: columns) else { throw .invalidParameter(Field.columns.name) }
    return TerminalSize(rows: rows, columns: columns)
  }
}

extension Arguments: ExpressibleByDictionaryLiteral {
  init(dictionaryLiteral elements: (Field, Argument)...) {
    values = Dictionary(elements.map { ($0.name, $1) }) { $1 }
  }
}

extension Arguments: Codable {
  init(from decoder: any Decoder) throws { values = try [String: Argument](from: decoder) }

  func encode(to encoder: any Encoder) throws { try values.encode(to: encoder) }
}

extension Argument {
  /// null for nil.
  init(_ value: String?) { self = value.map { .string($0) } ?? .null }

  /// null for nil.
  init(_ value: Int?) { self = value.map { .int($0) } ?? .null }
}
