import CLinux
import Foundation
import Glibc
import Linux
import Spawning

/// A process of a test: its output goes to files, its end is waited for by pidfd.
final class Child {
  let pid: Int32
  let arguments: [String]
  private let handle: OwnedFD
  private var ended: Ending?

  /// How a process ended.
  enum Ending: Equatable {
    case exited(Int32)
    case killed(Int32)
  }

  /// Runs `arguments` with exactly `environment`, standard input at its end, output and errors appended to files.
  init(_ arguments: [String], environment: [String: String], output: String, errors: String) throws {
    let pid = try spawn(arguments, environment: environment, output: output, errors: errors)
    self.pid = pid
    self.arguments = arguments
    handle = OwnedFD(owning: try retrying("pidfd_open") { pidfd_open(pid, 0) })
  }

  /// Sends `signal`; a process that has already ended is no error.
  func signal(_ signal: Int32) {
    if ended == nil { kill(pid, signal) }
  }

  /// Waits for the end; nil when `seconds` went by first.
  func wait(seconds: Double = deadline) -> Ending? {
    if let ended { return ended }
    guard isReadable(handle.raw, within: seconds) else { return nil }
    var status: Int32 = 0
    guard waitpid(pid, &status, 0) == pid else { return nil }
    let signal = status & 0x7f
    ended = signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal)
    return ended
  }

  var isRunning: Bool { wait(seconds: 0) == nil }

  deinit {
    if isRunning {
      kill(pid, SIGKILL)
      _ = wait()
    }
  }
}

/// What a command that ran to its end said.
struct Outcome {
  let ending: Child.Ending
  let output: String
  let errors: String

  /// The exit status, or 128 and the signal, as a shell counts.
  var status: Int32 {
    switch ending {
    case .exited(let status): status
    case .killed(let signal): 128 + signal
    }
  }
  var succeeded: Bool { status == 0 }
}

/// Seconds after which a test gives up waiting for something that should have happened: long, because the machine may be busy;
/// nothing but a failure ever waits this long.
let deadline: Double = 60

/// Whether `descriptor` has something to read (or its peer is gone) within `seconds`.
func isReadable(_ descriptor: Int32, within seconds: Double) -> Bool {
  var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
  let end = ContinuousClock.now + .seconds(seconds)
  while true {
    let left = ContinuousClock.now.duration(to: end)
    let milliseconds = max(0, Int32(left / .milliseconds(1)))
    let count = poll(&watched, 1, milliseconds)
    if count > 0 { return true }
    if count == 0 || errno != EINTR { return false }
  }
}

/// A test could not go on.
struct Trouble: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// Whether a process runs: one that has ended and only waits for its parent's look does not.
func runs(_ pid: Int32) -> Bool {
  let state = stateOfProcess(pid)
  return state != nil && state != "Z" && state != "X"
}

/// Stops a process where it is, until SIGCONT; returns when it stands still. Until then it may still see what comes after the signal,
/// and go on with that.
func stop(_ pid: Int32) throws {
  kill(pid, SIGSTOP)
  try eventually("process \(pid) stands still") { stateOfProcess(pid) == "T" }
}

/// Stops all processes below a cgroup, also those that are made meanwhile.
func stopAll(below cgroup: String) throws {
  try eventually("all below \(cgroup) stand still") {
    let running = Cgroups.processes(below: cgroup).filter { runs($0) && stateOfProcess($0) != "T" }
    for pid in running { kill(pid, SIGSTOP) }
    return running.isEmpty
  }
}

/// The letter in /proc/PID/stat (proc_pid_stat(5)).
private func stateOfProcess(_ pid: Int32) -> Substring? {
  text(of: "/proc/\(pid)/stat").split(separator: ")").last?.split(separator: " ").first
}

/// Waits until `condition` holds of something that announces itself by no event that a test could wait for.
func eventually(_ what: String, seconds: Double = deadline, _ condition: () throws -> Bool) throws {
  let end = ContinuousClock.now + .seconds(seconds)
  while try !condition() {
    guard ContinuousClock.now < end else { throw Trouble("did not happen within \(seconds) s: \(what)") }
    usleep(50_000)
  }
}
