/// The resources of setrlimit(2), by their numbers.
public enum Resource: UInt32, Hashable, Sendable, CaseIterable {
  case cpu, fileSize, data, stack, core, residentSet, processes, descriptors, lockedMemory, addressSpace, locks
  case pendingSignals, messageQueues, nice, realtimePriority, realtimeTime
}

/// A soft and a hard resource limit of setrlimit(2).
public struct ResourceLimit: Hashable, Sendable {
  /// The limit that the kernel enforces, in the unit of the resource.
  public var soft: UInt64
  /// The value up to which the process may raise the soft limit.
  public var hard: UInt64

  public init(soft: UInt64, hard: UInt64) {
    self.soft = soft
    self.hard = hard
  }

  /// RLIM_INFINITY.
  public static let unlimited: UInt64 = .max
}

/// The resource limits that `Limit…=` settings set.
public struct ResourceLimits: Equatable, Sendable {
  private var limits: [Resource: ResourceLimit] = [:]

  public init() {}

  /// The limit of a resource; nil where no setting sets it.
  public subscript(resource: Resource) -> ResourceLimit? {
    get { limits[resource] }
    set { limits[resource] = newValue }
  }
}
