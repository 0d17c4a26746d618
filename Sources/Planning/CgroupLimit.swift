import GuestSpec

/// One setting of systemd.resource-control(5): the text that is written to a file of the guest's cgroup.
public struct CgroupLimit: Equatable, Sendable {
  /// The setting's name without its `=`: `MemoryMax`.
  public let setting: String
  /// The kernel's name of the controller that has the file.
  public let controller: String
  /// The files. Where there are several, those that the kernel has are written.
  public let files: [File]
  /// Whether it is a default, because the guest's file does not have the setting. If a default cannot be set, nobody is told.
  public var isDefault = false

  /// A file of a cgroup and its new contents.
  public struct File: Equatable, Sendable {
    /// Its name in the cgroup's directory: `memory.max`.
    public let name: String
    /// The text, written by one write(2).
    public let text: String
  }

  /// The limits of `resources` on a machine of this size.
  static func all(_ resources: Resources, _ machine: MachineSize) -> [CgroupLimit] {
    var limits: [CgroupLimit] = []
    func add(_ setting: String, _ controller: String, _ file: String, _ text: String?, isDefault: Bool = false) {
      guard let text else { return }
      let file = File(name: file, text: text)
      limits.append(CgroupLimit(setting: setting, controller: controller, files: [file], isDefault: isDefault))
    }
    func memory(_ setting: String, _ file: String, _ amount: Resources.Amount?) {
      add(setting, "memory", file, amount.map { text($0, of: machine.memory, unit: machine.page) })
    }
    memory("MemoryMin", "memory.min", resources.memoryMin)
    memory("MemoryLow", "memory.low", resources.memoryLow)
    memory("MemoryHigh", "memory.high", resources.memoryHigh)
    memory("MemoryMax", "memory.max", resources.memoryMax)
    // MemoryHigh= alone may be above the default of MemoryMax=, which would then make it useless.
    if resources.memoryMax == nil, resources.memoryHigh == nil {
      let usual = text(usualMemoryMax, of: machine.memory, unit: machine.page)
      add("MemoryMax", "memory", "memory.max", usual, isDefault: true)
    }
    memory("MemorySwapMax", "memory.swap.max", resources.memorySwapMax)
    switch resources.cpuWeight {
    case .idle: add("CPUWeight", "cpu", "cpu.idle", "1")
    case .number(let weight): add("CPUWeight", "cpu", "cpu.weight", "\(weight)")
    case nil: break
    }
    add("CPUQuota", "cpu", "cpu.max", resources.cpuQuota.map { quota($0, each: resources.cpuQuotaPeriod) })
    let processors = resources.allowedCPUs.map {
      $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
    }
    add("AllowedCPUs", "cpuset", "cpuset.cpus", processors.isEmpty ? nil : processors.joined(separator: ","))
    let tasks = text(resources.tasksMax ?? usualTasksMax, of: machine.tasks, unit: 1)
    add("TasksMax", "pids", "pids.max", tasks, isDefault: resources.tasksMax == nil)
    if let weight = resources.ioWeight { limits.append(io(weight)) }
    return limits
  }

  // One guest must not take all memory, nor all processes, of a machine that others share.
  private static let usualMemoryMax = Resources.Amount.share(5000)
  private static let usualTasksMax = Resources.Amount.count(4096)

  private static func text(_ amount: Resources.Amount, of whole: UInt64, unit: UInt64) -> String {
    switch amount {
    case .infinity: "max"
    case .count(let count): "\(count)"
    case .share(10_000...): "\(whole)"
    case .share(let share): "\(part(share, of: whole / max(unit, 1)) * max(unit, 1))"
    }
  }

  /// `share` is less than 10,000 ten-thousandths, so the quotient is less than the whole and fits.
  private static func part(_ share: UInt32, of whole: UInt64) -> UInt64 {
    UInt64(10_000).dividingFullWidth(whole.multipliedFullWidth(by: UInt64(share))).quotient
  }

  /// The text of cpu.max. The kernel takes no period and no quota under a millisecond, and no period over a second.
  private static func quota(_ share: UInt32, each wanted: Duration?) -> String {
    let millisecond: UInt64 = 1000
    let second: UInt64 = 1_000_000
    let perSecond = max(UInt64(share) * second / 10_000, 1)
    let (seconds, rest) = min(wanted ?? .milliseconds(100), .seconds(1)).components
    let asked = UInt64(clamping: seconds) * second + UInt64(clamping: rest / 1_000_000_000_000)
    let period = min(max(asked, millisecond, millisecond * second / perSecond), second)
    return "\(max(perSecond * period / second, millisecond)) \(period)"
  }

  /// Two I/O schedulers have weights, each in a file of its own. Those of io.cost go to 10,000 and BFQ's to 1000; 100 is the default of
  /// both.
  private static func io(_ weight: UInt32) -> CgroupLimit {
    let bfq = weight <= 100 ? weight : 100 + (weight - 100) / 11
    return CgroupLimit(
      setting: "IOWeight", controller: "io",
      files: [File(name: "io.weight", text: "default \(weight)"), File(name: "io.bfq.weight", text: "\(bfq)")])
  }
}
