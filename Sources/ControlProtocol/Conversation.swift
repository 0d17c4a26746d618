/// The server's side of one client's connection, as a value: bytes and replies go in, calls and bytes come out.
///
/// A client's next call is not read before the reply to the last one has been sent. So replies have the order of the calls, and a
/// client occupies no more memory than one request and one reply, however fast it writes or slowly it reads. A call with several
/// replies has a queue of at most `queueLimit` besides.
public struct Conversation: Sendable {
  private enum Stage {
    /// The next message may be read.
    case open
    /// A call is being carried out.
    case waiting(CallMode)
    /// After the reply has been sent the connection carries no messages.
    case upgraded
    /// No further message is read; the rest of the output is sent.
    case closing
  }

  /// How many replies of one call may wait behind the one that is being sent.
  public static let queueLimit = 64

  private let dispatcher: Dispatcher
  private var stage = Stage.open
  private var inputEnded = false
  private var input = MessageBuffer()
  /// The message that is being sent.
  private var output: [UInt8] = []
  private var sentBytes = 0
  /// Messages that are sent after it.
  private var queue: [[UInt8]] = []

  public init(dispatcher: Dispatcher) { self.dispatcher = dispatcher }

  /// How many bytes may be read from the client now: none while a call is carried out or a reply is being sent.
  public var wantedBytes: Int {
    switch stage {
    case .open: inputEnded || !unsent.isEmpty ? 0 : input.room
    case .waiting, .upgraded, .closing: 0
    }
  }

  /// The bytes to send next; empty when all is sent.
  public var unsent: ArraySlice<UInt8> { output[sentBytes...] }

  /// Whether a call is being carried out.
  public var isWaiting: Bool {
    switch stage {
    case .waiting: true
    case .open, .upgraded, .closing: false
    }
  }

  /// Whether a call is being carried out to which the client expects a reply.
  public var owesReply: Bool {
    switch stage {
    case .waiting(let mode): mode != .oneway
    case .open, .upgraded, .closing: false
    }
  }

  /// Whether nothing is left to do for the client.
  public var isOver: Bool {
    switch stage {
    case .closing: unsent.isEmpty
    case .open, .waiting, .upgraded: false
    }
  }

  /// Whether the connection now belongs to what `Attach` connects to.
  public var isUpgraded: Bool {
    switch stage {
    case .upgraded: unsent.isEmpty
    case .open, .waiting, .closing: false
    }
  }

  /// Takes bytes that were read, at most `wantedBytes`.
  public mutating func receive(_ bytes: some Collection<UInt8>) {
    do throws(MessageBuffer.Violation) {
      try input.append(bytes)
    } catch {
      stage = .closing
    }
  }

  /// The client sends nothing more. Calls that it has sent already are still answered.
  public mutating func receiveEnd() { inputEnded = true }

  /// Returns the next call to carry out, which `answer(_:)` completes; nil if there is none now.
  ///
  /// Calls of `org.varlink.service` are answered here, so `unsent` may have bytes afterwards.
  public mutating func nextCall() -> Call? {
    guard case .open = stage, unsent.isEmpty else { return nil }
    do throws(MessageBuffer.Violation) {
      while let message = try input.next() {
        switch dispatcher.dispatch(message) {
        case .call(let call, let mode):
          stage = .waiting(mode)
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

  /// Sends the only or the last reply to the call that `nextCall()` returned last.
  public mutating func answer(_ reply: Reply) {
    guard case .waiting(let mode) = stage else { return }
    stage = reply == .attached && mode == .single ? .upgraded : .open
    if mode != .oneway { send(reply, continues: false) }
  }

  /// Sends a reply that further ones follow, to the call that `nextCall()` returned last.
  ///
  /// A client that does not read its replies would fill the daemon's memory. It is told with a last reply, `subscriberTooSlow`, in
  /// place of those that it has not been sent yet.
  ///
  /// - Returns: false when the call has no further replies.
  public mutating func answer(continuing reply: Reply) -> Bool {
    guard case .waiting(.more) = stage else { return false }
    if queue.count >= Self.queueLimit {
      queue = []
      answer(.failure(.subscriberTooSlow))
      return false
    }
    send(reply, continues: true)
    return isWaiting
  }

  /// Takes note that `count` bytes of `unsent` were sent.
  public mutating func sent(_ count: Int) {
    sentBytes = min(sentBytes + max(count, 0), output.count)
    guard sentBytes == output.count else { return }
    output = queue.isEmpty ? [] : queue.removeFirst()
    sentBytes = 0
  }

  private mutating func send(_ reply: Reply, continues: Bool) {
    do throws(NotEncodable) {
      send(try reply.encoded(continues: continues))
    } catch {
      stage = .closing
    }
  }

  /// A message is sent whole, also when a later one is the end of its call.
  private mutating func send(_ message: [UInt8]) {
    if unsent.isEmpty {
      output = message
      sentBytes = 0
    } else {
      queue.append(message)
    }
  }
}
