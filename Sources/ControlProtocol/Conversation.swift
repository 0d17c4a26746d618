/// The server's half of one client's connection, as a value: bytes in, calls out, replies in, bytes out.
///
/// A client has one call at a time carried out, and the next only when the reply to the last one has left: so what is
/// held for it is never more than a buffer of input and one reply, however fast it writes or slowly it reads, and the
/// replies are in the order of the calls.
public struct Conversation: Sendable {
  private enum Stage {
    /// The next message may be looked at.
    case open
    /// A call is being carried out.
    case waiting(oneway: Bool)
    /// What follows the reply, once that has left, are no messages.
    case upgraded
    /// No message will be looked at any more; what is left to send is sent.
    case closing
  }

  private let dispatcher: Dispatcher
  private var stage = Stage.open
  private var inputEnded = false
  private var input = MessageBuffer()
  private var reply: [UInt8] = []
  private var sentBytes = 0

  public init(dispatcher: Dispatcher) { self.dispatcher = dispatcher }

  /// How many bytes may be read from the client now: none while it waits for a reply.
  public var wantedBytes: Int {
    switch stage {
    case .open: inputEnded || !unsent.isEmpty ? 0 : input.room
    case .waiting, .upgraded, .closing: 0
    }
  }

  /// What is to be sent to the client.
  public var unsent: ArraySlice<UInt8> { reply[sentBytes...] }

  /// A call is being carried out for the client.
  public var isWaiting: Bool {
    switch stage {
    case .waiting: true
    case .open, .upgraded, .closing: false
    }
  }

  /// A call is being carried out whose reply the client wants.
  public var owesReply: Bool {
    switch stage {
    case .waiting(let oneway): !oneway
    case .open, .upgraded, .closing: false
    }
  }

  /// Nothing is left to do for the client.
  public var isOver: Bool {
    switch stage {
    case .closing: unsent.isEmpty
    case .open, .waiting, .upgraded: false
    }
  }

  /// The connection is no conversation any more: it belongs to what was asked for.
  public var isUpgraded: Bool {
    switch stage {
    case .upgraded: unsent.isEmpty
    case .open, .waiting, .closing: false
    }
  }

  /// Takes what was read: at most `wantedBytes`.
  public mutating func receive(_ bytes: some Collection<UInt8>) {
    do throws(MessageBuffer.Violation) {
      try input.append(bytes)
    } catch {
      stage = .closing
    }
  }

  /// The client will send no more; it is answered what it asked already.
  public mutating func receiveEnd() { inputEnded = true }

  /// The next call to be carried out, to be followed by `answer(_:)`; nil when there is none now.
  ///
  /// Questions about the service itself are answered on the way: look at `unsent` after each time.
  public mutating func nextCall() -> Call? {
    guard case .open = stage, unsent.isEmpty else { return nil }
    do throws(MessageBuffer.Violation) {
      while let message = try input.next() {
        switch dispatcher.dispatch(message) {
        case .call(let call, let oneway):
          stage = .waiting(oneway: oneway)
          return call
        case .reply(let bytes):
          send(bytes)
          if !bytes.isEmpty { return nil }
        case .violation:
          stage = .closing
          return nil
        }
      }
      if inputEnded { stage = .closing }
    } catch {
      stage = .closing
    }
    return nil
  }

  /// The reply to the call that `nextCall()` gave out last.
  public mutating func answer(_ reply: Reply) {
    guard case .waiting(let oneway) = stage else { return }
    stage = reply == .attached && !oneway ? .upgraded : .open
    if oneway { return }
    guard let bytes = try? reply.encoded() else {
      stage = .closing
      return
    }
    send(bytes)
  }

  /// So many bytes of `unsent` have left.
  public mutating func sent(_ count: Int) {
    sentBytes = min(sentBytes + count, reply.count)
    if sentBytes == reply.count { send([]) }
  }

  private mutating func send(_ bytes: [UInt8]) {
    reply = bytes
    sentBytes = 0
  }
}
