/// Where a guest is in its life. The word that users see is `word`; what is behind it is for the table alone.
public enum State: Equatable, Sendable {
  /// Nothing runs and no socket is held: before the first `hold`, and for good after `release`.
  case unbound
  /// The listeners are being opened or repaired; nothing runs.
  case binding(Binding)
  /// The listeners are held and watched; nothing runs.
  case inactive(Record)
  /// PID 1 is being made; nobody watches the listeners.
  case launching(Record)
  /// PID 1 runs and has not said that it is ready.
  case activating(Record)
  /// The guest serves.
  case active(Record)
  /// The guest served and is being frozen; nobody watches the listeners.
  case freezing(Record)
  /// All of the guest stands still, and the daemon watches the listeners in its stead.
  case frozen(Record)
  /// The guest serves, and is to halt when nobody uses it; new clients wait apart.
  case parting(Parting)
  /// The guest halts by its own will, or so it seems; new clients wait apart.
  case selfShutdown(SelfShutdown)
  /// The guest has been told to halt, or is being killed.
  case deactivating(Deactivation)
  /// The guest could not start or died: nothing runs, and nothing is tried until the pause is over.
  case failed(Failure)

  /// What outlives a single state.
  public struct Record: Equatable, Sendable {
    /// How often in a row the guest ended without having run steadily.
    public var failures: Int
    /// A pause was made for the last of them: the next start owes none.
    public var isPaid: Bool

    public init(failures: Int = 0, isPaid: Bool = false) {
      self.failures = failures
      self.isPaid = isPaid
    }

    var struckAgain: Record { Record(failures: failures + 1) }
    var paid: Record { Record(failures: failures, isPaid: true) }
  }

  /// What goes with the opening of listeners.
  public struct Binding: Equatable, Sendable {
    /// What was before.
    public var record: Record
    /// What follows when they are open.
    public var next: Next

    public init(_ record: Record, then next: Next) {
      self.record = record
      self.next = next
    }

    /// What follows when the listeners are open.
    public enum Next: Equatable, Sendable, CaseIterable {
      /// Wait for a connection.
      case watch
      /// Start without one: somebody asked, one is known to wait, or the guest reboots.
      case start
    }
  }

  /// What goes with keeping new clients apart from a guest that still serves.
  public struct Parting: Equatable, Sendable {
    /// What was before.
    public var record: Record
    /// What follows when the guest is gone.
    public var next: Deactivation.Next
    /// Whoever uses the guest all the same keeps it; otherwise it is only waited a while for them to have done.
    public var isCancellable: Bool

    public init(_ record: Record, then next: Deactivation.Next, cancellable: Bool) {
      self.record = record
      self.next = next
      isCancellable = cancellable
    }
  }

  /// What goes with the end of a guest that shuts down by itself, or seems to.
  public struct SelfShutdown: Equatable, Sendable {
    /// What was before.
    public var record: Record
    /// PID 1 said so in words that mean nothing else. Otherwise the guest may turn out to go on.
    public var isConfirmed: Bool
    /// It was ready before.
    public var hasServed: Bool

    public init(_ record: Record, confirmed isConfirmed: Bool, served hasServed: Bool) {
      self.record = record
      self.isConfirmed = isConfirmed
      self.hasServed = hasServed
    }
  }

  /// What goes with the end of a guest that was told to halt.
  public struct Deactivation: Equatable, Sendable {
    /// What was before.
    public var record: Record
    /// What follows when the guest is gone.
    public var next: Next

    public init(_ record: Record, then next: Next) {
      self.record = record
      self.next = next
    }

    /// What follows when the guest is gone.
    public enum Next: Equatable, Sendable, CaseIterable {
      /// Watch the listeners again.
      case sleep
      /// Start again at once: somebody asked for the guest while it was going.
      case start
      /// The guest was ended because it misbehaved: pause first.
      case fail
      /// Let the listeners go: the guest was removed, or the daemon ends.
      case release
    }
  }

  /// What goes with a pause.
  public struct Failure: Equatable, Sendable {
    /// How often in a row it has failed decides how long the pause is.
    public var record: Record
    /// What follows when the pause is over and the listeners are open.
    public var next: Binding.Next

    public init(_ record: Record, then next: Binding.Next) {
      self.record = record
      self.next = next
    }
  }

  /// systemd's word for the state.
  public var word: Word {
    switch self {
    case .unbound, .binding, .inactive: .inactive
    case .launching, .activating: .activating
    case .active, .freezing: .active
    case .frozen: .frozen
    case .parting(let parting): parting.isCancellable ? .active : .deactivating
    case .deactivating, .selfShutdown: .deactivating
    case .failed: .failed
    }
  }

  /// The words of systemd's units for their states, and `frozen`.
  public enum Word: String, Equatable, Sendable, CaseIterable {
    case inactive, activating, active, frozen, deactivating, failed
  }

  /// Whether a PID 1 of the guest may exist.
  public var mayRun: Bool {
    switch self {
    case .unbound, .binding, .inactive, .failed: false
    case .launching, .activating, .active, .freezing, .frozen, .parting, .selfShutdown, .deactivating: true
    }
  }
}
