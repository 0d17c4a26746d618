import GuestSpec
import Systemd

/// Where messages go: the journal with fields, or stderr. Nothing but `Supervision` writes to it.
struct Log {
  /// What a message is about: the daemon itself, a guest, or one instance of a guest.
  struct Subject {
    var guest: String?
    var instance: InstanceName?

    /// The fields that every message about it has.
    var fields: [LogField] {
      [guest.map(LogField.guest), instance.map { .instance("\($0)") }].compactMap { $0 }
    }
  }

  private let send: (Message, Subject) -> Void

  init(journal: Journal) {
    send = { message, subject in
      let line = message.line
      let text = subject.guest.map { "\($0): \(line.text)" } ?? line.text
      journal.send(line.priority, text, fields: Self.fields(of: line, about: subject))
    }
  }

  /// Gives the messages, and the names of the guests that they are about, to `send`.
  init(send: @escaping (Message, String?) -> Void) { self.send = { send($0, $1.guest) } }

  /// Logs a message about `guest`, or about the daemon itself; `instance` is the guest's instance when there is one.
  func write(_ message: Message, guest: String? = nil, instance: InstanceName? = nil) {
    send(message, Subject(guest: guest, instance: instance))
  }

  /// All fields of a line in the journal but those that `Journal` adds to each.
  static func fields(of line: LogLine, about subject: Subject) -> [(name: String, value: String)] {
    [(name: "MESSAGE_ID", value: line.id.rawValue)] + (subject.fields + line.fields).map { ($0.name, $0.value) }
  }
}
