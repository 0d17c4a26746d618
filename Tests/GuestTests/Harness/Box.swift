import Synchronization

/// A variable in which one thread leaves a value for another.
final class Box<Value: Sendable>: Sendable {
  private let value = Mutex<Value?>(nil)

  func set(_ new: Value) { value.withLock { $0 = new } }

  func take() throws -> Value {
    guard let value = value.withLock({ $0.take() }) else { throw Trouble("the box is empty") }
    return value
  }
}
