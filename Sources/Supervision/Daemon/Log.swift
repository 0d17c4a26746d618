import Systemd

/// Where messages go: the journal with fields, or stderr. Nothing but `Supervision` writes to it.
struct Log {
  private let send: (Message, String?) -> Void

  init(journal: Journal) {
    send = { message, guest in
      let text = guest.map { "\($0): \(message.text)" } ?? message.text
      let fields = guest.map { [(name: "DORMOUSE_GUEST", value: $0)] } ?? []
      journal.send(message.priority, text, fields: fields)
    }
  }

  /// Gives the messages, and the names of the guests that they are about, to `send`.
  init(send: @escaping (Message, String?) -> Void) { self.send = send }

  /// Logs a message about `guest`, or about the daemon itself.
  func write(_ message: Message, guest: String? = nil) { send(message, guest) }
}
