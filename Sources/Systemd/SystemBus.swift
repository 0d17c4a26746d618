import CSystemd
import Glibc
import Linux

/// A connection to the system bus on the event loop: a call is sent without waiting, and its reply arrives as an event.
///
/// Nothing blocks, not even connecting. It is used on the loop's thread only.
public final class SystemBus {
  private let loop: EventLoop
  private let bus: OpaquePointer

  /// An argument of a method, of one of the D-Bus types that the daemon needs.
  public enum Value {
    case string(String)
    case unsigned(UInt32)
    case bytes([UInt8])
    case integers([Int32])
  }

  /// An object of a service, and one of its interfaces.
  public struct Object: Sendable {
    /// The bus name of the service.
    public var service: String
    /// The object's path.
    public var path: String
    /// The interface that the method belongs to.
    public var interface: String

    public init(service: String, path: String, interface: String) {
      self.service = service
      self.path = path
      self.interface = interface
    }
  }

  /// Why a call failed.
  public struct CallError: Error, Sendable, CustomStringConvertible {
    /// The D-Bus name of the error: `org.freedesktop.DBus.Error.ServiceUnknown`.
    public let name: String
    /// The message of the service, or of errno(3).
    public let description: String
  }

  /// Connects to the system bus.
  ///
  /// - Throws: `SystemError`; `ENOENT` or `ECONNREFUSED` when there is no system bus.
  public init(_ loop: EventLoop) throws(SystemError) {
    var bus: OpaquePointer?
    try succeeding("connecting to the system bus", sd_bus_open_system(&bus))
    guard let bus else { throw SystemError("sd_bus_open_system", errno: ENOMEM) }
    self.bus = bus
    self.loop = loop
    try succeeding("sd_bus_attach_event", sd_bus_attach_event(bus, loop.event, Int32(SD_EVENT_PRIORITY_NORMAL)))
  }

  /// Closes the connection. Calls that the bus has not taken yet are lost, and pending replies are dropped.
  deinit {
    sd_bus_detach_event(bus)
    sd_bus_close_unref(bus)
  }

  /// Calls a method. `answer` gets the first value of the reply as text, if it is an object path or a variant with a number. Otherwise it
  /// gets the reason why there is no reply, after `timeout` at the latest. It is not called once this connection is released.
  ///
  /// - Throws: `SystemError` when the call cannot be sent.
  public func call(
    _ object: Object, _ method: String, _ arguments: [Value], timeout: Duration = .seconds(10),
    answer: @escaping (Result<String, CallError>) -> Void
  ) throws(SystemError) {
    var message: OpaquePointer?
    try succeeding(
      "making a call of \(method)",
      sd_bus_message_new_method_call(bus, &message, object.service, object.path, object.interface, method))
    defer { sd_bus_message_unref(message) }
    for argument in arguments { try append(argument, to: message) }
    // libsystemd releases it with the slot: after the reply, or when the connection is closed.
    let box = Unmanaged.passRetained(Answer(answer))
    var slot: OpaquePointer?
    let sent = sd_bus_call_async(
      bus, &slot, message,
      { reply, userdata, _ in
        if let userdata { Unmanaged<Answer>.fromOpaque(userdata).takeUnretainedValue().receive(reply) }
        return 0
      }, box.toOpaque(), timeout.microseconds)
    guard sent >= 0, let slot else {
      box.release()
      throw SystemError("calling \(method)", errno: -sent)
    }
    sd_bus_slot_set_destroy_callback(slot) { userdata in
      if let userdata { Unmanaged<Answer>.fromOpaque(userdata).release() }
    }
    sd_bus_slot_set_floating(slot, 1)
    sd_bus_slot_unref(slot)
  }

  private func append(_ value: Value, to message: OpaquePointer?) throws(SystemError) {
    let result =
      switch value {
      case .string(let text):
        text.withCString { sd_bus_message_append_basic(message, Int8(UInt8(ascii: "s")), $0) }
      case .unsigned(let number):
        withUnsafePointer(to: number) { sd_bus_message_append_basic(message, Int8(UInt8(ascii: "u")), $0) }
      case .bytes(let bytes):
        sd_bus_message_append_array(message, Int8(UInt8(ascii: "y")), bytes, bytes.count)
      case .integers(let numbers):
        sd_bus_message_append_array(message, Int8(UInt8(ascii: "i")), numbers, numbers.count * MemoryLayout<Int32>.size)
      }
    try succeeding("sd_bus_message_append", result)
  }
}

/// The handler of a reply in a form that C can point to.
private final class Answer {
  private let handler: (Result<String, SystemBus.CallError>) -> Void

  init(_ handler: @escaping (Result<String, SystemBus.CallError>) -> Void) { self.handler = handler }

  func receive(_ reply: OpaquePointer?) {
    if let error = sd_bus_message_get_error(reply) {
      let name = error.pointee.name.map { String(cString: $0) } ?? ""
      let words = error.pointee.message.map { String(cString: $0).harmless } ?? name
      return handler(.failure(SystemBus.CallError(name: name, description: words)))
    }
    handler(.success(text(of: reply)))
  }

  private func text(of reply: OpaquePointer?) -> String {
    var number: UInt32 = 0
    if sd_bus_message_enter_container(reply, Int8(UInt8(ascii: "v")), "u") > 0 {
      return sd_bus_message_read_basic(reply, Int8(UInt8(ascii: "u")), &number) > 0 ? "\(number)" : ""
    }
    var path: UnsafePointer<CChar>?
    guard sd_bus_message_read_basic(reply, Int8(UInt8(ascii: "o")), &path) > 0, let path else { return "" }
    return String(cString: path)
  }
}

/// Whether systemd-machined has registered a machine of this name. It reads machined's files and does not use the bus.
public func isMachineKnown(_ name: String) -> Bool {
  var kind: UnsafeMutablePointer<CChar>?
  defer { free(kind) }
  return sd_machine_get_class(name, &kind) >= 0
}

/// The machine that systemd-machined has registered for the unit of a process; nil when there is none. It reads machined's files.
public func machineKept(forUnitOf pid: Int32) -> String? {
  var name: UnsafeMutablePointer<CChar>?
  defer { free(name) }
  return sd_pid_get_machine_name(pid, &name) >= 0 ? name.map { String(cString: $0) } : nil
}
