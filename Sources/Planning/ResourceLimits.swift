import GuestSpec

extension Resource {
  /// The name in getrlimit(2).
  var name: String {
    let names = [
      "CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS", "LOCKS", "SIGPENDING",
      "MSGQUEUE",
      "NICE", "RTPRIO", "RTTIME",
    ]
    return "RLIMIT_" + names[Int(rawValue)]
  }

  /// The steps that set every limit: to the guest's setting, or else to what the kernel gives PID 1 of a machine. The daemon's own limits,
  /// which its service manager set, are not inherited.
  ///
  /// Limits that would hinder the later steps are lowered by `lateLimits`.
  static func limits(of host: HostLimits, asked: ResourceLimits) -> [Step] {
    allCases.map { resource in
      let limit = resource.bounds(host, asked)
      if !late.contains(resource) { return .limit(resource, soft: limit.soft, hard: limit.hard) }
      let usual = resource.bounds(host)
      let most = max(limit.hard, usual.hard)
      return .limit(resource, soft: most, hard: most)
    }
  }

  /// The steps that lower the limits that `limits` left high.
  static func lateLimits(of host: HostLimits, asked: ResourceLimits) -> [Step] {
    late.map { resource in
      let limit = resource.bounds(host, asked)
      return .limit(resource, soft: limit.soft, hard: limit.hard)
    }
  }

  private static let late: [Resource] = [.fileSize, .descriptors]

  private func bounds(_ host: HostLimits, _ asked: ResourceLimits) -> ResourceLimit {
    if let limit = asked[self] { return limit }
    let (soft, hard) = bounds(host)
    return ResourceLimit(soft: soft, hard: hard)
  }

  private func bounds(_ host: HostLimits) -> (soft: UInt64, hard: UInt64) {
    let unlimited = ResourceLimit.unlimited
    return switch self {
    case .cpu, .fileSize, .data, .residentSet, .addressSpace, .locks, .realtimeTime:
      (unlimited, unlimited)
    case .stack: (8 << 20, unlimited)
    case .core: (0, unlimited)
    case .processes: (host.processes, host.processes)
    case .descriptors: (min(1024, host.descriptors), host.descriptors)
    case .lockedMemory: (8 << 20, 8 << 20)
    case .pendingSignals: (host.pendingSignals, host.pendingSignals)
    case .messageQueues: (819_200, 819_200)
    case .nice, .realtimePriority: (0, 0)
    }
  }
}
