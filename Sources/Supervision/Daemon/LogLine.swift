import Linux
import Systemd

/// A message as the log gets it: one sentence for people, and the same facts as fields for programs.
struct LogLine {
  let id: MessageID
  let priority: Journal.Priority
  /// One sentence, without the guest's name.
  let text: String
  let fields: [LogField]

  init(_ id: MessageID, _ priority: Journal.Priority, _ text: String, _ fields: [LogField?] = []) {
    self.id = id
    self.priority = priority
    self.text = text
    self.fields = fields.compactMap { $0 }
  }
}

/// A value of a message under the name that the journal keeps it by. docs/messages.md says what each name stands for.
struct LogField: Equatable {
  let name: String
  let value: String

  private init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }

  static func guest(_ name: String) -> LogField { LogField("DORMOUSE_GUEST", name) }
  static func instance(_ name: String) -> LogField { LogField("DORMOUSE_INSTANCE", name) }
  static func otherGuest(_ name: String) -> LogField { LogField("DORMOUSE_OTHER_GUEST", name) }
  static func pid(_ number: Int32) -> LogField { LogField("DORMOUSE_PID", "\(number)") }
  static func socket(_ address: String) -> LogField { LogField("DORMOUSE_SOCKET", address) }
  static func arePassed(_ passed: Bool) -> LogField { LogField("DORMOUSE_PASSED", passed ? "yes" : "no") }
  static func address(_ address: String) -> LogField { LogField("DORMOUSE_ADDRESS", address) }
  static func cause(_ word: String) -> LogField { LogField("DORMOUSE_CAUSE", word) }
  static func result(_ words: String) -> LogField { LogField("DORMOUSE_RESULT", words) }
  static func reason(_ words: String) -> LogField { LogField("DORMOUSE_REASON", words) }
  static func error(_ words: String) -> LogField { LogField("DORMOUSE_ERROR", words) }
  static func duration(_ span: Duration) -> LogField { LogField("DORMOUSE_DURATION_USEC", "\(span.microseconds)") }
  static func count(_ number: Int) -> LogField { LogField("DORMOUSE_COUNT", "\(number)") }
  static func failures(_ number: Int) -> LogField { LogField("DORMOUSE_FAILURES", "\(number)") }
  static func signal(_ name: String) -> LogField { LogField("DORMOUSE_SIGNAL", name) }
  static func setting(_ name: String) -> LogField { LogField("DORMOUSE_SETTING", name) }
  static func controller(_ name: String) -> LogField { LogField("DORMOUSE_CONTROLLER", name) }
  static func isDeferred(_ later: Bool) -> LogField { LogField("DORMOUSE_DEFERRED", later ? "yes" : "no") }
  static func descriptor(_ name: String) -> LogField { LogField("DORMOUSE_FDNAME", name) }
  static func unit(_ name: String) -> LogField { LogField("DORMOUSE_UNIT", name) }
  static func path(_ path: String) -> LogField { LogField("DORMOUSE_PATH", path) }

  // Names that systemd uses for the same (systemd.journal-fields(7), and its messages about unit files).
  static func errno(_ number: Int32) -> LogField { LogField("ERRNO", "\(number)") }
  static func file(_ path: String) -> LogField { LogField("CONFIG_FILE", path) }
  static func line(_ number: Int) -> LogField { LogField("CONFIG_LINE", "\(number)") }
}

extension Duration {
  /// Whole microseconds, as systemd counts time. A setting can be longer than fits: the largest number then.
  fileprivate var microseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000)
    let (sum, exceeds) = product.addingReportingOverflow(attoseconds / 1_000_000_000_000)
    return overflows || exceeds ? .max : sum
  }
}
