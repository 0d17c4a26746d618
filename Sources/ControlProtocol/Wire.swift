import FoundationEssentials

/// A request as it stands in a message, before anybody asks whether there is such a method.
struct Request: Decodable {
  let method: String
  let parameters: RequestParameters?
  let oneway: Bool?
  let more: Bool?
  let upgrade: Bool?
}

/// Every parameter that some method has. A wrong one is remembered, not thrown: the caller gets its name in the reply.
struct RequestParameters: Decodable {
  var given: [String] = []
  var invalid: String?
  var name: String?
  var console: Bool?
  var now: Bool?
  var interface: String?
  var terminal: Int?
  var rows: Int?
  var columns: Int?

  init() {}

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: AnyKey.self)
    given = container.allKeys.map(\.stringValue).sorted()
    do {
      name = try container.decodeIfPresent(String.self, forKey: AnyKey("name"))
      console = try container.decodeIfPresent(Bool.self, forKey: AnyKey("console"))
      now = try container.decodeIfPresent(Bool.self, forKey: AnyKey("now"))
      interface = try container.decodeIfPresent(String.self, forKey: AnyKey("interface"))
      terminal = try container.decodeIfPresent(Int.self, forKey: AnyKey("terminal"))
      rows = try container.decodeIfPresent(Int.self, forKey: AnyKey("rows"))
      columns = try container.decodeIfPresent(Int.self, forKey: AnyKey("columns"))
    } catch DecodingError.typeMismatch(_, let context) {
      invalid = context.codingPath.last?.stringValue ?? "parameters"
    }
  }
}

struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(_ name: String) { stringValue = name }
  init?(stringValue: String) { self.init(stringValue) }
  init?(intValue: Int) { nil }
}

struct OutgoingRequest<Parameters: Encodable>: Encodable {
  let method: String
  let parameters: Parameters
  /// Left out when nil.
  var upgrade: Bool?
}

struct OutgoingReply<Parameters: Encodable>: Encodable {
  var error: String?
  let parameters: Parameters
}

struct IncomingReply<Parameters: Decodable>: Decodable {
  let parameters: Parameters?
}

struct IncomingError: Decodable {
  let error: String?
}

struct NoParameters: Codable {}

struct NameParameters: Codable {
  let name: String
}

struct StatusParameters: Codable {
  let name: String
  let console: Bool
}

struct SleepParameters: Codable {
  let name: String
  let now: Bool
}

struct TerminalParameters: Codable {
  let name: String
  @OrNull var terminal: Int?
  @OrNull var rows: UInt16?
  @OrNull var columns: UInt16?

  init(name: String, terminal: Int?, size: TerminalSize?) {
    self.name = name
    self.terminal = terminal
    rows = size?.rows
    columns = size?.columns
  }
}

struct FailureParameters: Codable {
  let name: String
  let reason: String
}

struct ListResult: Codable {
  let guests: [GuestSummary]
}

struct GuestResult<Guest: Codable>: Codable {
  let guest: Guest
}

/// JSON bytes with the NUL that ends a message. Keys are sorted, so that the same state is the same text.
func encodeMessage(_ value: some Encodable) throws -> [UInt8] {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return try [UInt8](encoder.encode(value)) + [0]
}

func decode<Value: Decodable>(_ type: Value.Type, _ message: [UInt8]) throws -> Value {
  try JSONDecoder().decode(type, from: Data(message))
}
