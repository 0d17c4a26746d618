import CLinux
import Glibc

/// What /proc shows of a process that this one did not start.
public struct ProcessFacts: Sendable {
  /// Its number in this process's PID namespace. The kernel may reuse the number once the process is gone.
  public let pid: Int32

  public init(pid: Int32) { self.pid = pid }

  /// Reads a file of /proc/PID.
  ///
  /// - Throws: `SystemError`; `ENOENT` when the process is gone.
  public func text(_ name: String) throws(SystemError) -> String {
    String(decoding: try readFile("/proc/\(pid)/\(name)", limit: 1 << 20), as: UTF8.self)
  }

  /// Whether the process can notice a signal. It can if it has a handler, or blocks the signal to read it from a signalfd(2), or is in
  /// rt_sigtimedwait(2), or has other threads, which may be. The kernel drops any other signal to the init process of a PID namespace.
  ///
  /// - Throws: as `text`.
  public func hears(signal: Int32) throws(SystemError) -> Bool {
    // While a thread is in rt_sigtimedwait(2), SigBlk in /proc does not have the signals that it waits for.
    if try waitsForSignals() { return true }
    for line in try text("status").split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      let value = parts[1].drop { $0 == " " || $0 == "\t" }
      if parts[0] == "Threads", value != "1" { return true }
      guard parts[0] == "SigCgt" || parts[0] == "SigBlk", (1...64).contains(signal) else { continue }
      let mask = UInt64(value, radix: 16) ?? .max
      if mask & 1 << UInt64(signal - 1) != 0 { return true }
    }
    // It may have begun to wait after the first check.
    return try waitsForSignals()
  }

  /// Whether its main thread is in rt_sigtimedwait(2) now (proc_pid_syscall(5)).
  private func waitsForSignals() throws(SystemError) -> Bool {
    try text("syscall").split(separator: " ").first == "\(linux_sigtimedwait_number())"
  }

  /// Reads the environment that it was executed with (proc_pid_environ(5)). If a variable occurs twice, the last counts.
  ///
  /// - Throws: as `text`; `EACCES` for a process that this one may not inspect.
  public func environment() throws(SystemError) -> [String: String] {
    var variables: [String: String] = [:]
    for entry in try text("environ").split(separator: "\0") {
      guard let equals = entry.firstIndex(of: "=") else { continue }
      variables[String(entry[..<equals])] = String(entry[entry.index(after: equals)...])
    }
    return variables
  }

  /// Finds the kinds of namespaces (as in /proc/PID/ns) in which it differs from `other`.
  ///
  /// - Throws: `SystemError` of readlink(2); `ENOENT` when one of the two is gone.
  public func namespaces(unlike other: ProcessFacts) throws(SystemError) -> Set<String> {
    var own: Set<String> = []
    for kind in ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"]
    where try readLink("/proc/\(pid)/ns/\(kind)") != readLink("/proc/\(other.pid)/ns/\(kind)") {
      own.insert(kind)
    }
    return own
  }

  /// Reads the host name in its UTS namespace.
  ///
  /// - Throws: `SystemError` of open(2) or setns(2).
  public func hostname() throws(SystemError) -> String {
    let namespace = OwnedFD(
      owning: try retrying("open ns/uts") { open("/proc/\(pid)/ns/uts", O_RDONLY | O_CLOEXEC) })
    var name = [CChar](repeating: 0, count: 256)
    try retrying("setns") { linux_hostname_in_namespace(namespace.raw, &name, UInt32(name.count)) }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
