import ControlProtocol
import Linux
import Systemd

/// One client of the control socket: its conversation and its socket.
///
/// It is used on the loop's thread only. The server's table has the only reference, so the connection is closed when it leaves the table.
final class ControlConnection {
  /// How far `proceed()` came.
  enum Progress {
    /// The server carries out this call, then calls `proceed()` again.
    case call(Call)
    /// Nothing can be done before the client sends or reads, or the reply to its call is known.
    case blocked
    /// The connection now belongs to what this call connects to.
    case upgraded(Call)
    /// Nothing is left to do for the client.
    case finished
  }

  /// The most bytes that are read at once, so that a fast client does not keep the loop from the others.
  private static let chunk = 16 * 1024

  private var conversation: Conversation
  private let socket: OwnedFD
  private var source: EventSource?
  /// Counts the calls, so that a late reply to one call is not taken for the reply to the next.
  private(set) var serial = 0
  private var lastCall: Call?
  /// The client has closed the connection, and expects no reply to its call. epoll reports a hang-up as long as it is watched, so the
  /// connection is not watched any more.
  private var hasGone = false
  /// The server's count of events when the client last sent or read something.
  var lastUse = 0

  init(_ socket: consuming OwnedFD, _ dispatcher: Dispatcher) {
    self.socket = socket
    conversation = Conversation(dispatcher: dispatcher)
  }

  /// The loop requires that a source is cancelled before its descriptor is closed.
  deinit { source?.cancel() }

  /// Whether a call is being carried out for it.
  var isWaiting: Bool { conversation.isWaiting }

  /// Registers the socket with the loop. Its first call is handled before the events of guests, so that an administrator is heard even when
  /// guests keep the loop busy.
  func watch(on loop: EventLoop, handler: @escaping (IOEvents) -> Void) throws(SystemError) {
    source = try loop.watch(socket, for: .readable, priority: .control, handler: handler)
  }

  /// Reads what the client has sent; false if the client has gone and expects no reply.
  func receive(_ events: IOEvents) throws(SystemError) -> Bool {
    let wanted = min(conversation.wantedBytes, Self.chunk)
    if wanted > 0 {
      if let bytes = try UnixStream.receive(from: socket, upTo: wanted) {
        bytes.isEmpty ? conversation.receiveEnd() : conversation.receive(bytes)
      }
      return true
    }
    if events.isDisjoint(with: [.hangUp, .error]) { return true }
    // epoll reports a hang-up always. A client that expects no reply may go: its call is still carried out, and so are those that it
    // sent after it.
    if conversation.owesReply || !conversation.isWaiting { return false }
    hasGone = true
    return true
  }

  /// Sends what is unsent. When all of it is sent, finds the next call.
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

  /// A descriptor of the connection for whoever takes it over.
  func duplicate() throws(SystemError) -> OwnedFD { try socket.duplicate() }

  /// Sends the only or the last reply to the call.
  func answer(_ reply: Reply) { conversation.answer(reply) }

  /// Sends a reply that further ones follow; false if the call has no further replies.
  func answer(continuing reply: Reply) -> Bool { conversation.answer(continuing: reply) }

  /// Watches for what the conversation needs next. With `soon` the loop comes back to it in any case.
  ///
  /// Later calls have the ordinary priority. Otherwise a client that sends one request after another would delay everybody else.
  func rest(soon: Bool) throws(SystemError) {
    var events: IOEvents = []
    if conversation.wantedBytes > 0 { events.insert(.readable) }
    if soon || !conversation.unsent.isEmpty { events.insert(.writable) }
    try source?.setEvents(events)
    try source?.setPriority(.normal)
    try source?.setEnabled(soon || !hasGone)
  }
}
