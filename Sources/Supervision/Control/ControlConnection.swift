import ControlProtocol
import Linux
import Systemd

/// One client of the control socket: a conversation, and the socket it is held over.
///
/// It lives on the loop's thread, in the server's table, which is the only place that closes it: by letting it go.
final class ControlConnection {
  /// What came of an attempt to get on.
  enum Progress {
    /// Carry out this call, then go on.
    case call(Call)
    /// The client, or somebody it waits for, is next.
    case blocked
    /// The connection belongs to what this call asked for.
    case upgraded(Call)
    /// Nothing is left to do, or nobody to do it for.
    case finished
  }

  /// Of the input in one go: a fast client gets its turn like the others.
  private static let chunk = 16 * 1024

  private var conversation: Conversation
  private let socket: OwnedFD
  private var source: EventSource?
  /// Counts the calls, so that a reply that comes twice is not taken for the reply to the next one.
  private(set) var serial = 0
  private var lastCall: Call?
  /// The server's count of events when something last went in or out.
  var lastUse = 0

  init(_ socket: consuming OwnedFD, _ dispatcher: Dispatcher) {
    self.socket = socket
    conversation = Conversation(dispatcher: dispatcher)
  }

  /// Before the socket is closed, as the loop wants it.
  deinit { source?.cancel() }

  /// A call is being carried out for it.
  var isWaiting: Bool { conversation.isWaiting }

  /// Starts to watch for the client's bytes.
  func watch(on loop: EventLoop, handler: @escaping (IOEvents) -> Void) throws(SystemError) {
    source = try loop.watch(socket, for: .readable, handler: handler)
  }

  /// Reads what there is; false when the client is gone and wants no answer any more.
  func receive(_ events: IOEvents) throws(SystemError) -> Bool {
    let wanted = min(conversation.wantedBytes, Self.chunk)
    if wanted > 0 {
      if let bytes = try UnixStream.receive(from: socket, upTo: wanted) {
        bytes.isEmpty ? conversation.receiveEnd() : conversation.receive(bytes)
      }
      return true
    }
    if events.isDisjoint(with: [.hangUp, .error]) { return true }
    // A hang-up is reported whether or not one asks. One who wanted no reply may go: his call, and what he sent after
    // it, is still carried out.
    if conversation.owesReply || !conversation.isWaiting { return false }
    try source?.setEnabled(false)
    return true
  }

  /// Sends what is to be sent, and finds the next call when all of it is.
  func proceed() throws(SystemError) -> Progress {
    while true {
      while !conversation.unsent.isEmpty {
        let count = try UnixStream.send(conversation.unsent, to: socket)
        if count == 0 { return .blocked }
        conversation.sent(count)
      }
      if let call = conversation.nextCall() {
        serial += 1
        lastCall = call
        return .call(call)
      }
      if let lastCall, conversation.isUpgraded { return .upgraded(lastCall) }
      if conversation.isOver { return .finished }
      if conversation.unsent.isEmpty { return .blocked }
    }
  }

  /// The connection, for who takes it over when this is let go.
  func duplicate() throws(SystemError) -> OwnedFD { try socket.duplicate() }

  func answer(_ reply: Reply) { conversation.answer(reply) }

  /// Watches for what the conversation needs next, and with `soon` for a turn of its own in any case.
  func rest(soon: Bool) throws(SystemError) {
    var events: IOEvents = []
    if conversation.wantedBytes > 0 { events.insert(.readable) }
    if soon || !conversation.unsent.isEmpty { events.insert(.writable) }
    try source?.setEvents(events)
    try source?.setEnabled(true)
  }
}
