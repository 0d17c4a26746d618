@testable import Supervision

/// What was logged, instead of the journal.
final class CapturedLog {
  private(set) var entries: [(message: Message, guest: String?)] = []
  /// Called with each message, in the middle of what logs it.
  var interrupt: (Message) -> Void = { _ in }

  var log: Log {
    Log { [unowned self] message, guest in
      entries.append((message, guest))
      interrupt(message)
    }
  }

  /// How many messages are of this kind.
  func count(_ isOfKind: (Message) -> Bool) -> Int { entries.count { isOfKind($0.message) } }

  func forget() { entries.removeAll() }
}

// The kinds that tests ask for. Their words are none of a test's business.
extension Message {
  var isFrozen: Bool { if case .frozen = self { true } else { false } }
  var isThawed: Bool { if case .thawed = self { true } else { false } }
  var isIdle: Bool { if case .idle = self { true } else { false } }
  var isHaltRequested: Bool { if case .haltRequested = self { true } else { false } }
  var isKilling: Bool { if case .killing = self { true } else { false } }
  var isStopped: Bool { if case .stopped = self { true } else { false } }
  var isStopCancelled: Bool { if case .stopCancelled = self { true } else { false } }
  var isSelfShutdown: Bool { if case .selfShutdown = self { true } else { false } }
  var isShutdownAborted: Bool { if case .shutdownAborted = self { true } else { false } }
  var isFoundOrphan: Bool { if case .foundOrphan = self { true } else { false } }
  var isCannotFreeze: Bool { if case .cannotFreeze = self { true } else { false } }
  var isCannotPark: Bool { if case .cannotPark = self { true } else { false } }
  var isListenerClosed: Bool { if case .listenerClosed = self { true } else { false } }
  var isNotAdopted: Bool { if case .notAdopted = self { true } else { false } }
  var isNoTimer: Bool { if case .noTimer = self { true } else { false } }
  var isCannotEnumerateOrphans: Bool { if case .cannotEnumerateOrphans = self { true } else { false } }
  var isCannotEnd: Bool {
    guard case .remark(let remark) = self, case .cannotEnd = remark else { return false }
    return true
  }
  /// The pause that is logged, with how often the guest failed in a row.
  var pause: (length: Duration, failures: Int)? {
    guard case .paused(_, let length, let failures, _) = self else { return nil }
    return (length, failures)
  }
}
