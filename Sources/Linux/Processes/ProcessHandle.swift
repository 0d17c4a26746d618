import CLinux
import Glibc

/// How a process exited.
public enum ExitStatus: Equatable, Sendable, CustomStringConvertible {
  case exited(Int32)
  case killed(signal: Int32)
  /// The process was not our child and its parent has reaped it. Before Linux 6.15 the kernel reports its status to nobody else.
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
  /// Decodes a status of wait(2).
  fileprivate init(waitStatus: Int32) {
    self = waitStatus & 0x7f == 0 ? .exited(waitStatus >> 8 & 0xff) : .killed(signal: waitStatus & 0x7f)
  }
}

/// A process, referred to by its pidfd, which never refers to a later process with the same number (pidfd_open(2)).
public struct ProcessHandle: ~Copyable {
  /// Its number in the daemon's PID namespace, for messages only.
  public let pid: Int32
  /// Readable once the process has exited.
  public let descriptor: OwnedFD

  /// Takes over the pidfd that clone3(2) returned for a child.
  public init(pid: Int32, owning descriptor: consuming OwnedFD) {
    self.pid = pid
    self.descriptor = descriptor
  }

  /// Opens a running process, a child or not.
  ///
  /// - Throws: `SystemError`; `ESRCH` when there is no such process.
  public init(opening pid: Int32) throws(SystemError) {
    self.init(
      pid: pid, owning: OwnedFD(owning: try retrying("pidfd_open \(pid)") { pidfd_open(pid, 0) }))
  }

  /// Sends a signal.
  ///
  /// - Parameter number: a number of signal(7); 0 only checks whether a signal could be sent.
  /// - Throws: `SystemError`; `ESRCH` when the process has exited.
  public borrowing func signal(_ number: Int32) throws(SystemError) {
    let pidfd = descriptor.raw
    let pid = self.pid
    try retrying("pidfd_send_signal \(pid)") { linux_pidfd_send_signal(pidfd, number) }
  }

  /// Reads how the process exited; nil while it runs. It reaps a child, which works once. Of any other process it reads the status.
  ///
  /// It never blocks. SIGCHLD must not be ignored, or the kernel reaps children by itself.
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

  /// Reads the status of a zombie: until its parent reaps it, `exit_code` is the last field of proc_pid_stat(5).
  private borrowing func statusOfZombie() -> ExitStatus? {
    guard let text = try? readFile("/proc/\(pid)/stat", limit: 4096) else { return nil }
    // Otherwise the number may be another process's by now, and pidfd_send_signal(2) fails with ESRCH.
    guard linux_pidfd_send_signal(descriptor.raw, 0) == 0 else { return nil }
    let fields = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    return fields.last.flatMap { Int32($0) }.map { ExitStatus(waitStatus: $0) }
  }
}
