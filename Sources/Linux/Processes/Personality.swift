import CLinux

/// Whether the kernel accepts the personality PER_LINUX32 (personality(2)). On arm64 it does not when the processor has no 32-bit mode.
public let runs32BitPrograms = linux_runs_32bit() != 0
