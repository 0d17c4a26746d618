import CLinux

/// Whether the kernel takes the personality of its 32-bit architecture (personality(2)). On arm64 it does not where the processor has no
/// 32-bit mode.
public let runs32BitPrograms = linux_runs_32bit() != 0
