import GuestSpec
import Linux

@testable import Supervision

/// Makes instances that run nothing, and remembers what it was asked for.
final class FakeBackend: Backend {
  /// How the starts to come go on.
  enum Answer {
    /// The instance reports `started` at once.
    case started
    /// The instance is watched, and the test lets it report `started` or `startFailed`.
    case later
    /// Like `later`, but it is not even watched before the test calls `execute()`.
    case unwatched
    case failure(StartFailure)
    /// Nothing is made, and the guest is to be started again after this preparation.
    case delayed(FakePreparation)
  }

  var answer = Answer.started
  /// With what each instance was made, in order, those that failed included.
  private(set) var starts: [InstanceStart] = []
  /// Those that were made, in order.
  private(set) var instances: [FakeInstance] = []
  /// Called with each instance before it is watched.
  var configure: (FakeInstance) -> Void = { _ in }
  var obstacle: String?
  private(set) var isFinished = false

  var left = FakeOrphans()
  /// What the next searches for orphans fail with.
  var searchFailure: SystemError?
  private(set) var searches = 0

  func apply(_ settings: DaemonSettings) {}

  func start(_ start: InstanceStart) throws(StartFailure) -> StartOutcome {
    starts.append(start)
    if case .failure(let failure) = answer { throw failure }
    if case .delayed(let preparation) = answer { return .delayed(by: preparation) }
    let instance = FakeInstance(InstanceName(start.guest.name, UInt32(starts.count)))
    configure(instance)
    instances.append(instance)
    instance.execute = { [unowned instance] () throws(SystemError) in
      instance.take(try start.listeners())
      try start.willExecute(instance)
    }
    if case .unwatched = answer { return .instance(instance) }
    do throws(SystemError) { try instance.execute() } catch { throw StartFailure("\(error)") }
    if case .started = answer { instance.report(.started) }
    return .instance(instance)
  }

  func orphans() throws(SystemError) -> any Orphans {
    searches += 1
    if let searchFailure { throw searchFailure }
    return left
  }

  func finish() { isFinished = true }
}

/// Work before a start, which the test ends.
final class FakePreparation: Preparation {
  let words = "changing the owners of the files below /guests/web"
  /// Nil before it begins.
  private(set) var done: ((StartFailure?) -> Void)?

  func begin(_ done: @escaping (StartFailure?) -> Void) { self.done = done }
}

/// What an earlier daemon left running, as the test has it.
struct FakeOrphans: Orphans {
  var instances: [String: FakeInstance] = [:]
  /// What the search fails with for these guests.
  var failures: [String: SystemError] = [:]

  var guests: [String] { instances.keys.sorted() }

  func instance(of guest: String) throws(SystemError) -> (any Instance)? {
    if let failure = failures[guest] { throw failure }
    return instances[guest]
  }
}
