import FoundationEssentials

/// A request as it stands in a message, before anything is known about its method.
struct Request: Decodable {
  let method: String
  let parameters: Arguments?
  let oneway: Bool?
  let more: Bool?
  let upgrade: Bool?
}

/// Flags are left out when they are nil.
struct OutgoingRequest: Encodable {
  let method: String
  let parameters: Arguments
  var more: Bool?
  var upgrade: Bool?
}

/// `error` and `continues` are left out when they are nil.
struct OutgoingReply<Parameters: Encodable>: Encodable {
  var error: String?
  var continues: Bool?
  let parameters: Parameters
}

struct IncomingReply<Parameters: Decodable>: Decodable {
  let parameters: Parameters?
}

/// What a client looks at before it knows what the reply is.
struct ReplyHead: Decodable {
  let error: String?
  let continues: Bool?
}

/// A value cannot be written as JSON: it has a number that is none.
public struct NotEncodable: Error, Equatable {}

/// Returns JSON bytes with the NUL that ends a message. Keys are sorted, so that equal values are equal text.
func encodeMessage(_ value: some Encodable) throws(NotEncodable) -> [UInt8] {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  do {
    return try [UInt8](encoder.encode(value)) + [0]
  } catch {
    throw NotEncodable()
  }
}

/// Reads a message without its NUL.
func decode<Value: Decodable>(_ type: Value.Type, _ message: [UInt8]) throws(UnexpectedReply) -> Value {
  do {
    return try JSONDecoder().decode(type, from: Data(message))
  } catch {
    throw .malformed
  }
}
