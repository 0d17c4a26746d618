/// Tells a new value from one that only repeats the last, so that an error that persists is logged once.
public struct ChangeFilter<Value: Equatable> {
  private var last: Value?

  public init() {}

  /// Whether `value` differs from the one before it. The first value is new, and so is the first after ``reset()``.
  public mutating func isNew(_ value: Value) -> Bool {
    defer { last = value }
    return value != last
  }

  /// Forgets the last value: what failed works again, and the same error would be news.
  public mutating func reset() { last = nil }
}

extension ChangeFilter: Sendable where Value: Sendable {}
