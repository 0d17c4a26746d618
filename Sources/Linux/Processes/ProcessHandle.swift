import CLinux
import Glibc

/// How a process ended.
public enum ExitStatus: Equatable, Sendable, CustomStringConvertible {
  case exited(Int32)
  case killed(signal: Int32)
  /// It was not our child, its parent has reaped it, and the kernel (before 6.15) told nobody else.
  case unknown

  public var description: String {
    switch self {
    case .exited(let code): "exited with \(code)"
    case .killed(let signal): "killed by signal \(signal)"
    case .unknown: "ended"
    }
  }
}

extension ExitStatus {
  /// As wait(2) has it.
  fileprivate init(waitStatus: Int32) {
    self = waitStatus & 0x7f == 0 ? .exited(waitStatus >> 8 & 0xff) : .killed(signal: waitStatus & 0x7f)
  }
}

/// A process by its pidfd: never another one that got the same number later (pidfd_open(2)).
public struct ProcessHandle: ~Copyable {
  /// In the daemon's pid namespace. Only for showing.
  public let pid: Int32
  /// Readable when the process has ended.
  public let descriptor: OwnedFD

  /// Takes over the pidfd that clone3(2) gave for its child.
  public init(pid: Int32, owning descriptor: consuming OwnedFD) {
    self.pid = pid
    self.descriptor = descriptor
  }

  /// Opens a process that runs already, a child or not.
  ///
  /// - Throws: `SystemError`; `ESRCH` when there is none.
  public init(opening pid: Int32) throws(SystemError) {
    self.init(
      pid: pid, owning: OwnedFD(owning: try retrying("pidfd_open \(pid)") { pidfd_open(pid, 0) }))
  }

  /// - Parameter number: signal(7)'s; 0 only asks whether it could be sent.
  /// - Throws: `SystemError`; `ESRCH` when the process has ended.
  public borrowing func signal(_ number: Int32) throws(SystemError) {
    let pidfd = descriptor.raw
    let pid = self.pid
    try retrying("pidfd_send_signal \(pid)") { linux_pidfd_send_signal(pidfd, number) }
  }

  /// How it ended, or nil while it runs. Takes a child's exit status, once; of any other process it asks the kernel.
  ///
  /// Never blocks. SIGCHLD must not be ignored, or the kernel reaps by itself.
  ///
  /// - Throws: `SystemError` of waitid(2).
  public borrowing func reap() throws(SystemError) -> ExitStatus? {
    let pidfd = descriptor.raw
    var code: Int32 = 0
    var status: Int32 = 0
    do throws(SystemError) {
      let pid = self.pid
      try retrying("waitid \(pid)") { linux_wait_pidfd(pidfd, &code, &status) }
    } catch {
      if error.errno != ECHILD { throw error }
      return try statusOfForeigner()
    }
    switch code {
    case 0: return nil
    case Int32(CLD_EXITED): return .exited(status)
    default: return .killed(signal: status)
    }
  }

  private borrowing func statusOfForeigner() throws(SystemError) -> ExitStatus? {
    let pidfd = descriptor.raw
    var poll = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
    if try retrying("poll", { Glibc.poll(&poll, 1, 0) }) == 0 { return nil }
    var status: Int32 = 0
    if linux_pidfd_exit_status(pidfd, &status) == 1 { return ExitStatus(waitStatus: status) }
    return statusOfZombie() ?? .unknown
  }

  /// Until its parent has reaped it, an ended process stands in /proc: `exit_code` is the last field of proc_pid_stat(5).
  private borrowing func statusOfZombie() -> ExitStatus? {
    guard let text = try? readFile("/proc/\(pid)/stat", limit: 4096) else { return nil }
    // The number is still this process's, or pidfd_send_signal(2) would say ESRCH.
    guard linux_pidfd_send_signal(descriptor.raw, 0) == 0 else { return nil }
    let fields = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    return fields.last.flatMap { Int32($0) }.map { ExitStatus(waitStatus: $0) }
  }
}
