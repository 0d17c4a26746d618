/// One requirement of systemd's Container Interface, or of "Writing VM and container managers", and how it is judged.
public struct Row: Sendable {
  /// The section's letters and a number: `EE-2b` is the third part of the second requirement of "Execution Environment".
  public let id: String
  /// How much it is asked for.
  public let level: Level
  /// What is asked of the manager, in a few words.
  public let requirement: String
  private let judgement: @Sendable (Observation) -> Verdict

  init(_ id: String, _ level: Level, _ requirement: String, _ judgement: @escaping @Sendable (Observation) -> Verdict) {
    self.id = id
    self.level = level
    self.requirement = requirement
    self.judgement = judgement
  }

  /// Judges what was seen of a guest.
  public func judge(_ seen: Observation) -> Verdict { judgement(seen) }

  /// In the order of the documents.
  public static let all =
    executionEnvironment + environmentVariables + integration + networking + runHost + shouldNot + final + managers
}

/// How much the text wants it.
public enum Level: String, Sendable, CaseIterable {
  case must = "M"
  case should = "S"
  case may = "O"
  case mustNot = "N"
  /// It says how things are, and asks nothing.
  case told = "-"

  /// Whether a guest that misses it is no container as the text wants it.
  public var isRequired: Bool { self == .must || self == .should || self == .mustNot }
}

/// What comes of judging.
public enum Verdict: Equatable, Sendable {
  case holds
  /// With what was seen instead.
  case missed(String)
  /// With the reason why it does not arise here.
  case notApplicable(String)
  /// With what would show it.
  case unknown(String)

  /// The verdict in one word, and what there is to say besides.
  public var words: (verdict: String, reason: String?) {
    switch self {
    case .holds: ("holds", nil)
    case .missed(let why): ("missed", why)
    case .notApplicable(let why): ("not applicable", why)
    case .unknown(let why): ("cannot be told here", why)
    }
  }

  static func holds(if truth: Bool, else why: @autoclosure () -> String) -> Verdict {
    truth ? .holds : .missed(why())
  }

  /// `next` where this one holds.
  func and(_ next: @autoclosure () -> Verdict) -> Verdict { self == .holds ? next() : self }
}
