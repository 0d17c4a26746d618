/// Where a guest is in its life. `word` is what users see; the payloads are for the table alone.
public enum State: Equatable, Sendable {
  /// Before `bind` or `adopt`: whether an earlier daemon left an instance running is not known yet.
  case pending
  /// The sockets are being bound or repaired; nothing runs.
  case binding(Binding)
  /// The listeners are open and watched; nothing runs.
  case inactive(Record)
  /// The guest waits for a place to start. Nothing runs, and the listeners are not watched.
  case queued(Record)
  /// PID 1 is being made; nobody watches the listeners.
  case launching(Launch)
  /// The start is delayed by a preparation, such as a change of owners, which may take minutes. Nothing runs, and the listeners are not
  /// watched.
  case preparing(Record)
  /// PID 1 runs and has not sent READY=1.
  case activating(Record)
  /// The guest serves.
  case active(Record)
  /// The guest served and is being frozen; nobody watches the listeners.
  case freezing(Freezing)
  /// Every process of the guest is frozen, and the daemon watches the listeners.
  case frozen(Record)
  /// New clients are parked, and a last scan decides whether the guest is stopped. It is not while somebody uses it.
  case stopPending(StopPending)
  /// The guest will be stopped in any case; new clients are parked, and the others get a moment to finish.
  case draining(Deactivation)
  /// The guest shuts down by itself, or seems to; new clients are parked.
  case selfShutdown(SelfShutdown)
  /// The guest was told to halt, or is being killed; new clients are parked.
  case deactivating(Deactivation)
  /// The guest could not be started, or died. Nothing runs, and nothing is tried until the pause has passed.
  case failed(Failure)
  /// The listeners are closed, for good.
  case unbound

  /// What outlives a single state.
  public struct Record: Equatable, Sendable {
    /// How often in a row the guest ended before it was stable.
    public var failures: Int
    /// There was a pause after the last of them, so the next start needs none.
    public var isPaid: Bool

    public init(failures: Int = 0, isPaid: Bool = false) {
      self.failures = failures
      self.isPaid = isPaid
    }

    /// Whether clients are refused until the pause is over.
    var isRefused: Bool { failures >= Backoff.limit }
    var struckAgain: Record { Record(failures: failures + 1) }
    var paid: Record { Record(failures: failures, isPaid: true) }
  }

  /// What follows the binding of the listeners.
  public struct Binding: Equatable, Sendable {
    public var record: Record
    /// What follows when the listeners are open.
    public var next: Next

    public init(_ record: Record, then next: Next) {
      self.record = record
      self.next = next
    }

    /// What follows when the listeners are open.
    public enum Next: Equatable, Sendable, CaseIterable {
      /// Wait for a connection.
      case watch
      /// Start at once: on request, because a client is known to wait, or because the guest reboots.
      case start
    }
  }

  /// A launch and what follows it.
  public struct Launch: Equatable, Sendable {
    public var record: Record
    /// How the guest is stopped as soon as PID 1 exists; nil: it is to serve.
    public var halt: Halt?

    public init(_ record: Record, halt: Halt? = nil) {
      self.record = record
      self.halt = halt
    }
  }

  /// Why a guest is stopped, and what follows.
  public struct Halt: Equatable, Sendable {
    public var cause: HaltCause
    public var next: Next

    public init(_ cause: HaltCause, then next: Next) {
      self.cause = cause
      self.next = next
    }

    /// What follows when the instance is gone.
    public enum Next: Equatable, Sendable, CaseIterable {
      /// Watch the listeners.
      case sleep
      /// Start again at once: somebody asked for the guest meanwhile.
      case start
      /// Pause first: the guest was stopped because it misbehaved.
      case fail
      /// Close the listeners: the guest was removed, or the daemon ends.
      case release
    }
  }

  /// How far the freezing of a guest has come.
  public struct Freezing: Equatable, Sendable {
    public var record: Record
    /// Somebody asked for it: it is frozen although it is used.
    public var isAsked: Bool
    /// Every process is frozen. A last scan says whether somebody came meanwhile.
    public var isComplete: Bool

    public init(_ record: Record, asked isAsked: Bool, complete isComplete: Bool = false) {
      self.record = record
      self.isAsked = isAsked
      self.isComplete = isComplete
    }
  }

  /// How far the decision about a stop has come.
  public struct StopPending: Equatable, Sendable {
    public var record: Record
    public var cause: Cause
    /// All listeners are diverted, also those whose parked clients cannot come back to this instance: the last scan.
    public var isLast: Bool

    public init(_ record: Record, _ cause: Cause, last isLast: Bool = false) {
      self.record = record
      self.cause = cause
      self.isLast = isLast
    }

    /// Why the guest may be stopped.
    public enum Cause: Equatable, Sendable, CaseIterable {
      /// Nobody used it for `IdleStopSec=`.
      case idle
      /// Idle, and it has accepted none of the clients that came, so it was woken in vain.
      case idleUnserved
      /// Somebody asked for it, should nobody use it.
      case request
    }
  }

  /// The end of a guest that shuts down by itself, or seems to.
  public struct SelfShutdown: Equatable, Sendable {
    public var record: Record
    /// PID 1 reported it beyond doubt. Otherwise it may turn out that the guest keeps running.
    public var isConfirmed: Bool
    /// It was ready before.
    public var hasServed: Bool

    public init(_ record: Record, confirmed isConfirmed: Bool, served hasServed: Bool) {
      self.record = record
      self.isConfirmed = isConfirmed
      self.hasServed = hasServed
    }
  }

  /// The end of a guest that Dormouse stops.
  public struct Deactivation: Equatable, Sendable {
    public var record: Record
    public var halt: Halt

    public init(_ record: Record, _ halt: Halt) {
      self.record = record
      self.halt = halt
    }
  }

  /// What follows a pause.
  public struct Failure: Equatable, Sendable {
    /// The pause is longer the more often the guest failed in a row.
    public var record: Record
    /// What follows when the pause has passed and the listeners are open.
    public var next: Binding.Next

    public init(_ record: Record, then next: Binding.Next) {
      self.record = record
      self.next = next
    }
  }
}
