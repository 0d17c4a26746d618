extension Step.Resource {
  private static var unlimited: UInt64 { .max }

  /// As getrlimit(2) has it.
  var name: String {
    let names = [
      "CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS", "LOCKS", "SIGPENDING",
      "MSGQUEUE",
      "NICE", "RTPRIO", "RTTIME",
    ]
    return "RLIMIT_" + names[Int(rawValue)]
  }

  /// The limits that the kernel gives the first process of a machine: the daemon's own, set by its service manager, stay out.
  static func limits(of host: HostLimits) -> [Step] {
    allCases.map { resource in
      let (soft, hard) = resource.bounds(host)
      return .limit(resource, soft: soft, hard: hard)
    }
  }

  private func bounds(_ host: HostLimits) -> (soft: UInt64, hard: UInt64) {
    switch self {
    case .cpu, .fileSize, .data, .residentSet, .addressSpace, .locks, .realtimeTime:
      (Self.unlimited, Self.unlimited)
    case .stack: (8 << 20, Self.unlimited)
    case .core: (0, Self.unlimited)
    case .processes: (host.processes, host.processes)
    case .descriptors: (min(1024, host.descriptors), host.descriptors)
    case .lockedMemory: (8 << 20, 8 << 20)
    case .pendingSignals: (host.pendingSignals, host.pendingSignals)
    case .messageQueues: (819_200, 819_200)
    case .nice, .realtimePriority: (0, 0)
    }
  }
}
