/// What the guest may use of the machine, under systemd.resource-control(5)'s names; nil leaves the kernel's own value.
public struct Resources: Equatable, Sendable {
  /// `MemoryMin=`.
  public var memoryMin: Amount?
  /// `MemoryLow=`.
  public var memoryLow: Amount?
  /// `MemoryHigh=`.
  public var memoryHigh: Amount?
  /// `MemoryMax=`.
  public var memoryMax: Amount?
  /// `MemorySwapMax=`.
  public var memorySwapMax: Amount?
  /// `CPUWeight=`.
  public var cpuWeight: Weight?
  /// `CPUQuota=`, in ten-thousandths of one processor; more than 10,000 where there are several.
  public var cpuQuota: UInt32?
  /// `CPUQuotaPeriodSec=`.
  public var cpuQuotaPeriod: Duration?
  /// `AllowedCPUs=`, by their numbers.
  public var allowedCPUs: [ClosedRange<Int>] = []
  /// `TasksMax=`.
  public var tasksMax: Amount?
  /// `IOWeight=`.
  public var ioWeight: UInt32?

  public init() {}

  /// So many, a share of the machine's in ten-thousandths, or without limit.
  public enum Amount: Equatable, Sendable {
    case count(UInt64)
    case share(UInt32)
    case infinity
  }

  /// 1 to 10,000, where 100 is everybody's; idle: only what nobody else wants.
  public enum Weight: Equatable, Sendable {
    case idle
    case number(UInt32)
  }
}
