import CLinux
import Foundation
import Glibc
import Linux
import Spawning

/// A process of a test. Its output goes to files, and a pidfd announces its end.
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

  /// Runs `arguments` with exactly `environment`, with empty standard input, and appends output and errors to files.
  init(_ arguments: [String], environment: [String: String], output: String, errors: String) throws {
    let pid = try spawn(arguments, environment: environment, output: output, errors: errors)
    self.pid = pid
    self.arguments = arguments
    handle = OwnedFD(owning: try retrying("pidfd_open") { pidfd_open(pid, 0) })
  }

  /// Sends `signal`; it is not an error if the process has ended.
  func signal(_ signal: Int32) {
    if ended == nil { kill(pid, signal) }
  }

  /// Waits for the end of the process; returns nil after `seconds`.
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

/// The output and the exit status of a command.
struct Outcome {
  let ending: Child.Ending
  let output: String
  let errors: String

  /// The exit status, or 128 plus the signal, as in a shell.
  var status: Int32 {
    switch ending {
    case .exited(let status): status
    case .killed(let signal): 128 + signal
    }
  }
  var succeeded: Bool { status == 0 }
}

/// The seconds after which a test gives up waiting. It is long because the machine may be busy; only a failure waits so long.
let deadline: Double = 60

/// Whether `descriptor` becomes readable, or its peer closes it, within `seconds`.
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

/// The reason why a test cannot continue.
struct Trouble: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// Whether a process runs; a zombie does not.
func runs(_ pid: Int32) -> Bool {
  let state = stateOfProcess(pid)
  return state != nil && state != "Z" && state != "X"
}

/// Stops a process until SIGCONT, and waits until it is stopped. Before that it may still react to events after the signal.
func stop(_ pid: Int32) throws {
  kill(pid, SIGSTOP)
  try eventually("process \(pid) is stopped") { stateOfProcess(pid) == "T" }
}

/// Stops all processes below a cgroup, including those that are created meanwhile.
func stopAll(below cgroup: String) throws {
  try eventually("all processes below \(cgroup) are stopped") {
    let running = Cgroups.processes(below: cgroup).filter { runs($0) && stateOfProcess($0) != "T" }
    for pid in running { kill(pid, SIGSTOP) }
    return running.isEmpty
  }
}

/// The state letter of a process in /proc/PID/stat (proc_pid_stat(5)).
private func stateOfProcess(_ pid: Int32) -> Substring? {
  text(of: "/proc/\(pid)/stat").split(separator: ")").last?.split(separator: " ").first
}

/// Polls until `condition` is true, where no event announces that.
func eventually(_ what: String, seconds: Double = deadline, _ condition: () throws -> Bool) throws {
  let end = ContinuousClock.now + .seconds(seconds)
  while try !condition() {
    guard ContinuousClock.now < end else { throw Trouble("did not happen within \(seconds) s: \(what)") }
    usleep(50_000)
  }
}
