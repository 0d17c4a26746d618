/// A Varlink interface description, read just well enough to compare it with the Swift types.
///
/// The parameters of a method M are the struct `M()`, its result is `M->`, those of an error E are `E`.
struct InterfaceText {
  var enums: [String: [String]] = [:]
  var structs: [String: [String: String]] = [:]

  init(_ text: String) {
    let lines = text.split(separator: "\n").filter { !$0.drop { $0 == " " }.hasPrefix("#") }
    let bare = lines.joined(separator: " ")
    for part in bare.split(separator: ")").map({
      $0.split(separator: "(", maxSplits: 1, omittingEmptySubsequences: false)
    }) {
      let words = part[0].split(separator: " ")
      guard let name = words.last, part.count == 2 else { continue }
      let members = part[1].split(separator: ",").map { $0.split(separator: ":").map { $0.filter { $0 != " " } } }
      if name == "->" {
        structs["\(lastMethod)->"] = Self.fields(members)
      } else if words.contains("method") {
        lastMethod = String(name)
        structs["\(name)()"] = Self.fields(members)
      } else if members.first?.count == 1 && words.contains("type") {
        enums[String(name)] = members.map { $0[0] }
      } else {
        structs[String(name)] = Self.fields(members)
      }
    }
  }

  private var lastMethod = ""

  private static func fields(_ members: [[String]]) -> [String: String] {
    Dictionary(uniqueKeysWithValues: members.filter { $0.count == 2 }.map { ($0[0], $0[1]) })
  }

  /// What in a value is not as the struct `type` says, in words.
  func mismatches(of value: Value, with type: String) -> [String] {
    guard case .object(let members) = value, let fields = structs[type] else { return ["\(type): no object"] }
    let unknown = members.keys.filter { fields[$0] == nil }.sorted().map { "\($0): unknown" }
    let wrong = fields.sorted { $0.key < $1.key }.flatMap { key, type in
      members[key].map { mismatches(of: $0, in: key, with: type) } ?? ["\(key): missing"]
    }
    return unknown + wrong
  }

  private func mismatches(of value: Value, in key: String, with type: String) -> [String] {
    if type.hasPrefix("?") {
      return value == .null ? [] : mismatches(of: value, in: key, with: String(type.dropFirst()))
    }
    if type.hasPrefix("[]") {
      guard case .array(let elements) = value else { return ["\(key): no array"] }
      return elements.flatMap { mismatches(of: $0, in: key, with: String(type.dropFirst(2))) }
    }
    switch (type, value) {
    case ("string", .string), ("bool", .bool), ("int", .int), ("float", .int), ("float", .float): return []
    case (_, .string(let value)) where enums[type] != nil:
      return enums[type, default: []].contains(value) ? [] : ["\(key): \(value)"]
    case (_, .object): return mismatches(of: value, with: type)
    default: return ["\(key): no \(type)"]
    }
  }
}

/// Any JSON value, its kind and, where the tests want it, its content.
enum Value: Decodable, Equatable {
  case null, bool, int, float
  case string(String)
  case array([Value])
  case object([String: Value])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if (try? container.decode(Bool.self)) != nil {
      self = .bool
    } else if (try? container.decode(Int.self)) != nil {
      self = .int
    } else if (try? container.decode(Double.self)) != nil {
      self = .float
    } else if let string = try? container.decode(String.self) {
      self = .string(string)
    } else if let array = try? container.decode([Value].self) {
      self = .array(array)
    } else {
      self = .object(try container.decode([String: Value].self))
    }
  }
}
