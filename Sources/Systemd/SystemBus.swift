import CSystemd
import Glibc
import Linux

/// A connection to the system bus on the event loop: a call is sent without waiting, and its reply arrives as an event.
///
/// Nothing blocks, not even connecting. It is used on the loop's thread only.
public final class SystemBus {
  private let loop: EventLoop
  private let bus: OpaquePointer

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

  /// The unique name that the bus gave this connection, such as `:1.7`; nil before the bus has answered.
  public var uniqueName: String? {
    // sd_bus_get_unique_name(3) blocks while the connection is being made.
    guard sd_bus_is_ready(bus) > 0 else { return nil }
    var name: UnsafePointer<CChar>?
    return sd_bus_get_unique_name(bus, &name) >= 0 ? name.map { String(cString: $0) } : nil
  }

  /// Calls a method. `answer` gets the first value of the reply as text if it is an object path, or a variant with a number or a text, and
  /// empty text otherwise. If the call fails, it gets the error, after `timeout` at the latest. It is not called once this connection is
  /// released.
  ///
  /// - Throws: `SystemError` when the call cannot be sent.
  public func call(
    _ object: Object, _ method: String, _ arguments: [BusValue], timeout: Duration = .seconds(10),
    answer: @escaping (Result<String, CallError>) -> Void
  ) throws(SystemError) {
    var message: OpaquePointer?
    try succeeding(
      "making a call of \(method)",
      sd_bus_message_new_method_call(bus, &message, object.service, object.path, object.interface, method))
    defer { sd_bus_message_unref(message) }
    for argument in arguments { try argument.append(to: message) }
    // libsystemd releases it with the slot: after the reply, or when the connection is closed.
    let box = Unmanaged.passRetained(MessageHandler { answer(reply($0)) })
    var slot: OpaquePointer?
    let sent = sd_bus_call_async(bus, &slot, message, MessageHandler.callback, box.toOpaque(), timeout.microseconds)
    guard sent >= 0, let slot else {
      box.release()
      throw SystemError("calling \(method)", errno: -sent)
    }
    sd_bus_slot_set_destroy_callback(slot, MessageHandler.release)
    sd_bus_slot_set_floating(slot, 1)
    sd_bus_slot_unref(slot)
  }

  /// Calls `handler` with the object's path for each signal that `rule` matches, until the returned match is released.
  ///
  /// The bus lets every user send signals, so a signal proves nothing: ask the service that seems to have sent it.
  ///
  /// - Throws: `SystemError` when the rule cannot be sent.
  public func match(_ rule: String, handler: @escaping (String) -> Void) throws(SystemError) -> Match {
    let box = Unmanaged.passRetained(
      MessageHandler { message in
        if let path = sd_bus_message_get_path(message) { handler(String(cString: path)) }
      })
    var slot: OpaquePointer?
    let sent = sd_bus_add_match_async(bus, &slot, rule, MessageHandler.callback, nil, box.toOpaque())
    guard sent >= 0, let slot else {
      box.release()
      throw SystemError("matching \(rule)", errno: -sent)
    }
    sd_bus_slot_set_destroy_callback(slot, MessageHandler.release)
    return Match(slot)
  }

  /// A rule by which signals are received; releasing it ends that.
  public final class Match {
    private let slot: OpaquePointer

    fileprivate init(_ slot: OpaquePointer) { self.slot = slot }

    deinit { sd_bus_slot_unref(slot) }
  }

  /// The object path of something by its name, escaped as in `/org/freedesktop/systemd1/unit/web_2escope`.
  public static func path(below parent: String, of name: String) -> String? {
    var path: UnsafeMutablePointer<CChar>?
    defer { free(path) }
    return sd_bus_path_encode(parent, name, &path) >= 0 ? path.map { String(cString: $0) } : nil
  }
}

/// A message handler that C refers to by a pointer.
private final class MessageHandler {
  private let handle: (OpaquePointer?) -> Void

  init(_ handle: @escaping (OpaquePointer?) -> Void) { self.handle = handle }

  static let callback: sd_bus_message_handler_t = { message, userdata, _ in
    if let userdata { Unmanaged<MessageHandler>.fromOpaque(userdata).takeUnretainedValue().handle(message) }
    return 0
  }

  static let release: sd_bus_destroy_t = { userdata in
    if let userdata { Unmanaged<MessageHandler>.fromOpaque(userdata).release() }
  }
}

/// The first value of a reply, or its error.
private func reply(_ message: OpaquePointer?) -> Result<String, SystemBus.CallError> {
  if let error = sd_bus_message_get_error(message) {
    let name = error.pointee.name.map { String(cString: $0) } ?? ""
    let words = error.pointee.message.map { String(cString: $0).harmless } ?? name
    return .failure(SystemBus.CallError(name: name, description: words))
  }
  var number: UInt32 = 0
  var text: UnsafePointer<CChar>?
  if sd_bus_message_enter_container(message, Int8(UInt8(ascii: "v")), "u") > 0 {
    return .success(sd_bus_message_read_basic(message, Int8(UInt8(ascii: "u")), &number) > 0 ? "\(number)" : "")
  }
  var type = Int8(UInt8(ascii: "o"))
  if sd_bus_message_enter_container(message, Int8(UInt8(ascii: "v")), "s") > 0 { type = Int8(UInt8(ascii: "s")) }
  guard sd_bus_message_read_basic(message, type, &text) > 0, let text else { return .success("") }
  return .success(String(cString: text))
}
