/// The resource limits of a guest, with the names of systemd.resource-control(5); nil keeps the kernel's default.
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
  /// `CPUQuota=`, in ten-thousandths of one processor; more than 10,000 stands for several.
  public var cpuQuota: UInt32?
  /// `CPUQuotaPeriodSec=`.
  public var cpuQuotaPeriod: Duration?
  /// `AllowedCPUs=`: the numbers of processors.
  public var allowedCPUs: [ClosedRange<Int>] = []
  /// `TasksMax=`.
  public var tasksMax: Amount?
  /// `IOWeight=`.
  public var ioWeight: UInt32?
  /// `DiskMax=`.
  public var diskMax: Amount?

  public init() {}

  /// An absolute number, a share of what the machine has, in ten-thousandths, or no limit.
  public enum Amount: Equatable, Sendable {
    case count(UInt64)
    case share(UInt32)
    case infinity

    /// The amount of a whole, such as the bytes of a file system: at most the whole for a share, and `UInt64.max` without a limit.
    public func part(of whole: UInt64) -> UInt64 {
      switch self {
      case .count(let count): count
      // Divided first, so that nothing overflows.
      case .share(let share): whole / 10_000 * UInt64(min(share, 10_000))
      case .infinity: .max
      }
    }
  }

  /// A weight from 1 to 10,000, where 100 is the default; or idle, which gets only processor time that nothing else uses.
  public enum Weight: Equatable, Sendable {
    case idle
    case number(UInt32)
  }
}
