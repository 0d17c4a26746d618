/// setrlimit(2)'s resources by their numbers.
public enum Resource: UInt32, Hashable, Sendable, CaseIterable {
  case cpu, fileSize, data, stack, core, residentSet, processes, descriptors, lockedMemory, addressSpace, locks
  case pendingSignals, messageQueues, nice, realtimePriority, realtimeTime
}

/// Up to where a process may go, and up to where it may move that itself.
public struct ResourceLimit: Hashable, Sendable {
  /// Where the kernel stops a process, in the resource's own unit (setrlimit(2)).
  public var soft: UInt64
  /// How far the process may raise that.
  public var hard: UInt64

  public init(soft: UInt64, hard: UInt64) {
    self.soft = soft
    self.hard = hard
  }

  /// RLIM_INFINITY.
  public static let unlimited: UInt64 = .max
}

/// Those of the resources that `Limit…=` names.
public struct ResourceLimits: Equatable, Sendable {
  private var limits: [Resource: ResourceLimit] = [:]

  public init() {}

  /// nil: the setting does not stand in the guest's files.
  public subscript(resource: Resource) -> ResourceLimit? {
    get { limits[resource] }
    set { limits[resource] = newValue }
  }
}
