import CSystemd
import Linux

/// An argument of a D-Bus method call, of one of the types that the daemon needs.
public indirect enum BusValue {
  case string(String)
  case boolean(Bool)
  case unsigned(UInt32)
  case unsigned64(UInt64)
  /// A time span, which systemd's interfaces have in microseconds; nil: infinity.
  case span(Duration?)
  case bytes([UInt8])
  case integers([Int32])
  case unsigneds([UInt32])
  case strings([String])
  /// The number of an open descriptor, which libsystemd duplicates.
  case descriptor(Int32)
  case descriptors([Int32])
  /// `a(sv)`: properties with their names.
  case properties([(name: String, value: BusValue)])
  /// An empty `a(sa(sv))`: no auxiliary units (StartTransientUnit).
  case noUnits

  /// The value's D-Bus type signature.
  private var signature: String {
    switch self {
    case .string: "s"
    case .boolean: "b"
    case .unsigned: "u"
    case .unsigned64, .span: "t"
    case .bytes: "ay"
    case .integers: "ai"
    case .unsigneds: "au"
    case .strings: "as"
    case .descriptor: "h"
    case .descriptors: "ah"
    case .properties: "a(sv)"
    case .noUnits: "a(sa(sv))"
    }
  }

  /// - Throws: `SystemError`; `ENOMEM`, or `EMFILE` for a descriptor that cannot be duplicated.
  func append(to message: OpaquePointer?) throws(SystemError) {
    switch self {
    case .string(let text):
      try check(text.withCString { sd_bus_message_append_basic(message, Self.code("s"), $0) })
    case .boolean(let value):
      try check(
        withUnsafePointer(to: Int32(value ? 1 : 0)) { sd_bus_message_append_basic(message, Self.code("b"), $0) })
    case .unsigned(let number):
      try check(withUnsafePointer(to: number) { sd_bus_message_append_basic(message, Self.code("u"), $0) })
    case .unsigned64(let number):
      try check(withUnsafePointer(to: number) { sd_bus_message_append_basic(message, Self.code("t"), $0) })
    case .span(let span): try BusValue.unsigned64(span?.microseconds ?? .max).append(to: message)
    case .descriptor(let number):
      try check(withUnsafePointer(to: number) { sd_bus_message_append_basic(message, Self.code("h"), $0) })
    case .bytes(let bytes):
      try check(sd_bus_message_append_array(message, Self.code("y"), bytes, bytes.count))
    case .integers(let numbers):
      try check(sd_bus_message_append_array(message, Self.code("i"), numbers, numbers.count * MemoryLayout<Int32>.size))
    case .unsigneds(let numbers):
      try check(
        sd_bus_message_append_array(message, Self.code("u"), numbers, numbers.count * MemoryLayout<UInt32>.size))
    case .strings(let texts): try append("s", texts.map { .string($0) }, to: message)
    case .descriptors(let numbers): try append("h", numbers.map { .descriptor($0) }, to: message)
    case .properties(let properties): try append(properties, to: message)
    case .noUnits: try append("(sa(sv))", [], to: message)
    }
  }

  /// Appends an array of values of the type `contents`.
  private func append(_ contents: String, _ values: [BusValue], to message: OpaquePointer?) throws(SystemError) {
    try check(sd_bus_message_open_container(message, Self.code("a"), contents))
    for value in values { try value.append(to: message) }
    try check(sd_bus_message_close_container(message))
  }

  private func append(_ properties: [(name: String, value: BusValue)], to message: OpaquePointer?) throws(SystemError) {
    try check(sd_bus_message_open_container(message, Self.code("a"), "(sv)"))
    for (name, value) in properties {
      try check(sd_bus_message_open_container(message, Self.code("r"), "sv"))
      try BusValue.string(name).append(to: message)
      try check(sd_bus_message_open_container(message, Self.code("v"), value.signature))
      try value.append(to: message)
      try check(sd_bus_message_close_container(message))
      try check(sd_bus_message_close_container(message))
    }
    try check(sd_bus_message_close_container(message))
  }

  private func check(_ result: Int32) throws(SystemError) { try succeeding("sd_bus_message_append", result) }

  private static func code(_ character: Unicode.Scalar) -> CChar { CChar(truncatingIfNeeded: character.value) }
}
