import GuestSpec
import Testing

@testable import Planning

@Suite("The limits of a guest's cgroup")
struct CgroupLimitTests {
  /// A machine with 8 GiB and one page of memory, and 10,001 tasks.
  private static let machine = {
    var machine = MachineSize()
    machine.memory = 8 << 30 + 4096
    machine.tasks = 10_001
    return machine
  }()

  private func written(_ change: (inout Resources) -> Void) -> [String] {
    var resources = Resources()
    change(&resources)
    return CgroupLimit.all(resources, Self.machine).filter { !$0.isDefault }.flatMap { limit in
      limit.files.map { "\(limit.setting) \(limit.controller) \($0.name): \($0.text)" }
    }
  }

  @Test("a guest without resource settings may have half of the memory and 4096 tasks, and settings lift that")
  func defaults() {
    func written(_ change: (inout Resources) -> Void = { _ in }) -> [String] {
      var resources = Resources()
      change(&resources)
      return CgroupLimit.all(resources, Self.machine).filter(\.isDefault).flatMap { limit in
        limit.files.map { "\(limit.setting) \($0.name): \($0.text)" }
      }
    }
    #expect(written() == ["MemoryMax memory.max: 4294967296", "TasksMax pids.max: 4096"])
    #expect(written { ($0.memoryMax, $0.tasksMax) = (.infinity, .infinity) } == [])
    #expect(written { $0.memoryHigh = .share(9000) } == ["TasksMax pids.max: 4096"])
  }

  @Test("a default limit whose controller is missing is not among the plan's unmet limits")
  func unmetDefaults() throws {
    let plan = try planned { _, facts in facts.controllers = ["pids"] }
    #expect(plan.limits.map(\.setting) == ["TasksMax"])
    #expect(plan.unmetLimits.isEmpty)
  }

  @Test("a memory limit is written in bytes, a percentage in whole pages, and infinity as max")
  func memory() {
    #expect(
      written {
        ($0.memoryMin, $0.memoryLow, $0.memoryHigh) = (.count(4097), .share(1), .share(2500))
        ($0.memoryMax, $0.memorySwapMax) = (.share(10_000), .infinity)
      } == [
        "MemoryMin memory memory.min: 4097", "MemoryLow memory memory.low: 856064",
        "MemoryHigh memory memory.high: 2147483648", "MemoryMax memory memory.max: 8589938688",
        "MemorySwapMax memory memory.swap.max: max",
      ])
  }

  @Test(
    "CPUQuota= is written as a quota and a period within the kernel's bounds",
    arguments: [
      (2000, nil, "20000 100000"), (25_000, nil, "250000 100000"), (2000, .milliseconds(10), "2000 10000"),
      (1, nil, "1000 1000000"), (100, .milliseconds(1), "1000 100000"), (10_000, .seconds(5), "1000000 1000000"),
      (10_000, .zero, "1000 1000"), (2_147_483_647, nil, "21474836470 100000"),
    ] as [(UInt32, Duration?, String)])
  func quota(share: UInt32, period: Duration?, text: String) {
    #expect(written { ($0.cpuQuota, $0.cpuQuotaPeriod) = (share, period) } == ["CPUQuota cpu cpu.max: \(text)"])
  }

  @Test("CPUWeight= is written as a weight or to cpu.idle, and AllowedCPUs= as a list")
  func processors() {
    #expect(written { $0.cpuWeight = .number(50) } == ["CPUWeight cpu cpu.weight: 50"])
    #expect(written { $0.cpuWeight = .idle } == ["CPUWeight cpu cpu.idle: 1"])
    #expect(written { $0.allowedCPUs = [0...3, 6...6] } == ["AllowedCPUs cpuset cpuset.cpus: 0-3,6"])
  }

  @Test("TasksMax= is written as a number, and a percentage is of the machine's tasks")
  func tasks() {
    #expect(written { $0.tasksMax = .count(77) } == ["TasksMax pids pids.max: 77"])
    #expect(written { $0.tasksMax = .share(1000) } == ["TasksMax pids pids.max: 1000"])
  }

  @Test(
    "IOWeight= is written for both I/O schedulers that have weights",
    arguments: [(1, 1), (100, 100), (200, 109), (10_000, 1000)] as [(UInt32, Int)])
  func io(weight: UInt32, bfq: Int) {
    #expect(
      written { $0.ioWeight = weight }
        == ["IOWeight io io.weight: default \(weight)", "IOWeight io io.bfq.weight: \(bfq)"])
  }

  @Test("limits that no guest's file can contain cause no trap")
  func extremes() {
    #expect(written { $0.cpuQuota = 0 } == ["CPUQuota cpu cpu.max: 1000 1000000"])
    #expect(written { $0.tasksMax = .share(.max) } == ["TasksMax pids pids.max: 10001"])
    #expect(written { $0.ioWeight = .max }.last == "IOWeight io io.bfq.weight: 390451663")
    var resources = Resources()
    resources.memoryMax = .share(5000)
    var machine = MachineSize()
    (machine.memory, machine.page) = (.max, 0)
    #expect(CgroupLimit.all(resources, machine).first?.files.first?.text == "9223372036854775807")
  }

  @Test("a limit whose controller is missing is among the plan's unmet limits")
  func unmet() throws {
    let plan = try planned { guest, facts in
      guest.policy.resources.memoryMax = .count(1 << 30)
      guest.policy.resources.tasksMax = .count(100)
      facts.controllers = ["cpu", "pids"]
    }
    #expect(plan.limits.map(\.setting) == ["TasksMax"])
    #expect(plan.unmetLimits.map(\.setting) == ["MemoryMax"])
  }
}
