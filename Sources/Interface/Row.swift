/// A requirement of systemd's "Container Interface" or "Writing VM and Container Managers", and how it is judged.
public struct Row: Sendable {
  /// Letters for the section and a number: `EE-2b` is the second part of the second requirement of "Execution Environment".
  public let id: String
  /// How strongly the document asks for it.
  public let level: Level
  /// The requirement in a few words.
  public let requirement: String
  private let judgement: @Sendable (Observation) -> Verdict

  init(_ id: String, _ level: Level, _ requirement: String, _ judgement: @escaping @Sendable (Observation) -> Verdict) {
    self.id = id
    self.level = level
    self.requirement = requirement
    self.judgement = judgement
  }

  /// Judges an observed guest.
  public func judge(_ seen: Observation) -> Verdict { judgement(seen) }

  /// All rows in the order of the documents.
  public static let all =
    executionEnvironmentRows + environmentVariableRows + integrationRows + networkingRows + runHostRows + shouldNotRows
    + finalRows + managerRows
}

/// How strongly a document asks for something.
public enum Level: String, Sendable, CaseIterable {
  case must = "M"
  case should = "S"
  case may = "O"
  case mustNot = "N"
  /// The document only describes something.
  case informative = "-"

  /// Whether a guest must satisfy the row to conform to the document.
  public var isRequired: Bool { self == .must || self == .should || self == .mustNot }
}

/// The result of judging a row.
public enum Verdict: Equatable, Sendable {
  /// The guest satisfies the row.
  case holds
  /// The guest does not satisfy the row; what was observed instead.
  case missed(String)
  /// The row does not apply to the guest; the reason.
  case notApplicable(String)
  /// The observation cannot show it; what would.
  case unknown(String)

  /// The verdict in a word or two, and the reason.
  public var words: (verdict: String, reason: String?) {
    switch self {
    case .holds: ("holds", nil)
    case .missed(let why): ("missed", why)
    case .notApplicable(let why): ("not applicable", why)
    case .unknown(let why): ("unknown", why)
    }
  }

  static func holds(if truth: Bool, else why: @autoclosure () -> String) -> Verdict {
    truth ? .holds : .missed(why())
  }

  /// The verdict `next` if this one holds, and this one otherwise.
  func and(_ next: @autoclosure () -> Verdict) -> Verdict { self == .holds ? next() : self }
}
