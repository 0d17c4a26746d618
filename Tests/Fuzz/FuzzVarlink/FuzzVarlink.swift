import CFuzzer
import ControlProtocol

/// Whatever bytes a client sends, they lead to calls, replies or the end of its connection, and it makes no difference how they are cut
/// into reads. The first byte says how they are cut.
@main enum FuzzVarlink {
  static func main() {
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
    _ = LLVMFuzzerRunDriver(&count, &arguments) { start, count in
      tryStream(Array(UnsafeBufferPointer(start: start, count: count)))
      return 0
    }
  }
}

private func tryStream(_ bytes: [UInt8]) {
  guard let first = bytes.first else { return }
  let stream = bytes.dropFirst()
  let whole = talk(stream, pieces: stream.count)
  let cut = talk(stream, pieces: Int(first) + 1)
  precondition(whole == cut, "a conversation depends on how its bytes were cut")
  for call in whole.calls {
    guard let bytes = try? call.encoded() else { preconditionFailure("a call that came in cannot be sent out") }
    precondition(talk(bytes[...], pieces: bytes.count).calls == [call], "a call does not survive its encoding")
  }
  // The client's side of the same bytes.
  for call in whole.calls + [.list, .subscribeGuests(name: nil)] { _ = try? call.decodeReply(Array(stream)) }
  _ = try? Call.continues(after: Array(stream))
}

private struct Transcript: Equatable {
  var calls: [Call] = []
  var replies: [UInt8] = []
}

/// A whole conversation in which every call fails, after one more reply if it may have several; `pieces` bytes are read at a time.
private func talk(_ stream: ArraySlice<UInt8>, pieces: Int) -> Transcript {
  let info = ServiceInfo(version: "0")
  var conversation = Conversation(dispatcher: Dispatcher(info: info))
  var transcript = Transcript()
  var rest = stream
  while !conversation.isOver {
    let wanted = min(pieces, conversation.wantedBytes)
    if rest.isEmpty {
      conversation.receiveEnd()
    } else if wanted > 0 {
      conversation.receive(rest.prefix(wanted))
      rest = rest.dropFirst(wanted)
    }
    if let call = conversation.nextCall() {
      transcript.calls.append(call)
      _ = conversation.answer(continuing: .guests(GuestChanges(removed: ["web"])))
      conversation.answer(.failure(.noSuchGuest(name: "web")))
    }
    while !conversation.unsent.isEmpty {
      transcript.replies += conversation.unsent
      conversation.sent(conversation.unsent.count)
    }
  }
  return transcript
}
