import CSystemd
import Linux

/// An argument of a method, of one of the D-Bus types that the daemon needs.
public indirect enum BusValue {
  case string(String)
  case boolean(Bool)
  case unsigned(UInt32)
  case unsigned64(UInt64)
  /// A span of time in microseconds, as systemd has it; nil: infinity.
  case span(Duration?)
  case bytes([UInt8])
  case integers([Int32])
  case unsigneds([UInt32])
  case strings([String])
  /// The numbers of open descriptors, which libsystemd duplicates.
  case descriptor(Int32)
  case descriptors([Int32])
  /// `a(sv)`: properties with their names.
  case properties([(name: String, value: BusValue)])
  /// `a(sa(sv))`, empty: no further units.
  case noUnits

  /// The type of the value in D-Bus's notation.
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
