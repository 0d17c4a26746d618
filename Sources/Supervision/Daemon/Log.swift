import Systemd

/// Where messages go: the journal with fields, or stderr. Only `Supervision` writes to it.
struct Log {
  private let journal: Journal

  init(journal: Journal) { self.journal = journal }

  /// Writes about `guest`, or about the daemon itself.
  func write(_ message: Message, guest: String? = nil) {
    let text = guest.map { "\($0): \(message.text)" } ?? message.text
    let fields = guest.map { [(name: "DORMOUSE_GUEST", value: $0)] } ?? []
    journal.send(message.priority, text, fields: fields)
  }
}
