/// What happened to a guest and was not taken in yet.
///
/// What the effects of an event bring (the listeners are held, PID 1 was made) comes before whatever else happened meanwhile:
/// the states that wait for such an answer know no other way out, and let nothing be asked of them.
public struct EventQueue: Sendable {
  private var answers: [Event] = []
  private var others: [Event] = []
  /// Whether effects are being carried out: what comes now is their answer.
  public var isPerforming = false

  public init() {}

  public mutating func add(_ event: Event) {
    if isPerforming { answers.append(event) } else { others.append(event) }
  }

  /// Takes out what is to be taken in next.
  public mutating func next() -> Event? {
    if !answers.isEmpty { return answers.removeFirst() }
    return others.isEmpty ? nil : others.removeFirst()
  }
}
