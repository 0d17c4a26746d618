import Glibc
import Linux

/// Runs slow or dangerous work in a process of its own, so that the event loop does not wait for it and a crash does not end the daemon.
///
/// The process inherits standard error, but no other descriptor and none of the environment. It is killed at its deadline, when it writes
/// too much, when this object is released, and when the daemon ends. Used on the loop's thread only.
public final class HelperProcess {
  /// What the process executes.
  public enum Program: Sendable {
    /// This program, to carry out a `HelperTask`.
    case own(HelperTask, [String] = [])
    /// The program at a path.
    case at(String, [String] = [])
  }

  private let watched: Watched

  /// Starts the process.
  ///
  /// It gets the descriptors of `passing`, eight at most, as 3 and up. After `deadline` it is killed; nil: without limit. `outputLimit` is
  /// how many bytes it may write to standard output. `done` is called once, on the loop, when it has ended, unless this object was released
  /// before.
  ///
  /// - Throws: `SystemError` when it cannot be started; `done` is not called then.
  public init(
    _ program: Program, passing: DescriptorList = DescriptorList(), deadline: Duration?, outputLimit: Int = 64 << 10,
    on loop: EventLoop, done: @escaping (HelperResult) -> Void
  ) throws(SystemError) {
    let pipe = try Pipe()
    let process = try program.spawn(output: pipe.writing, passing)
    watched = Watched(process, pipe.takeReading(), outputLimit, done)
    do throws(SystemError) { try watched.watch(loop, deadline) } catch {
      watched.drop()
      watched.reapUnlessWatched()
      throw error
    }
  }

  deinit { watched.drop() }

  /// Runs a process to its end, and blocks until then. It is for the daemon's own end, when the loop has nothing else to do.
  ///
  /// - Returns: whether it exited with status 0 in time.
  public static func finish(_ program: Program, within time: Duration) -> Bool {
    do throws(SystemError) {
      let pipe = try Pipe()
      let process = try program.spawn(output: pipe.writing, DescriptorList())
      var watched = pollfd(fd: process.descriptor.raw, events: Int16(POLLIN), revents: 0)
      _ = poll(&watched, 1, Int32(clamping: time.microseconds / 1000))
      if let status = try process.reap() { return status == .exited(0) }
      try process.signal(SIGKILL)
      return false
    } catch {
      return false
    }
  }
}

/// How a helper process ended, and what it wrote.
public struct HelperResult: Equatable, Sendable {
  /// How it ended.
  public enum Ending: Equatable, Sendable {
    case ended(ExitStatus)
    /// It was killed at its deadline.
    case timedOut
    /// It was killed because it wrote more than `outputLimit` bytes.
    case tooMuchOutput
  }

  /// How it ended.
  public let ending: Ending
  /// What it wrote to standard output, up to the limit.
  public let output: [UInt8]

  public init(ending: Ending, output: [UInt8]) {
    self.ending = ending
    self.output = output
  }

  /// Whether it exited with status 0.
  public var succeeded: Bool { ending == .ended(.exited(0)) }
}

extension HelperProcess.Program {
  fileprivate func spawn(
    output: borrowing OwnedFD, _ passing: DescriptorList
  ) throws(SystemError) -> ProcessHandle {
    let (path, arguments) =
      switch self {
      case .own(let task, let arguments): ("/proc/self/exe", task.commandLine(arguments))
      case .at(let path, let arguments): (path, [path] + arguments)
      }
    let environment = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"]
    return try spawnProcess(path, arguments: arguments, environment: environment, output: output, passing: passing)
  }
}

/// The process and its event sources. It outlives its `HelperProcess` until the process is reaped: the handlers of the sources keep it
/// alive.
private final class Watched {
  private let process: ProcessHandle
  private let output: OwnedFD
  private let limit: Int
  private var bytes: [UInt8] = []
  private var done: ((HelperResult) -> Void)?
  /// Why it was killed; nil when it was not.
  private var killed: HelperResult.Ending?
  private var end: EventSource?
  private var others: [EventSource] = []

  init(
    _ process: consuming ProcessHandle, _ output: consuming OwnedFD, _ limit: Int,
    _ done: @escaping (HelperResult) -> Void
  ) {
    self.process = process
    self.output = output
    self.limit = limit
    self.done = done
  }

  func watch(_ loop: EventLoop, _ deadline: Duration?) throws(SystemError) {
    end = try loop.watch(process.descriptor, for: .readable) { [self] _ in reap() }
    others.append(try loop.watch(output, for: .readable) { [unowned self] _ in receive() })
    if let deadline { others.append(try loop.after(deadline) { [unowned self] in kill(.timedOut) }) }
  }

  /// Kills the process without reporting its end.
  func drop() {
    done = nil
    stop()
    // ESRCH: it has ended.
    try? process.signal(SIGKILL)
  }

  /// Kills and reaps a process that the loop cannot watch, which takes a moment so soon after its start.
  func reapUnlessWatched() {
    if end != nil { return }
    do throws(SystemError) { while try process.reap() == nil { poll(nil, 0, 1) } } catch {}
  }

  private func receive() {
    do throws(SystemError) {
      guard let more = try readAvailable(output, limit: 16 << 10) else { return }
      if more.isEmpty { return others.removeFirst().cancel() }
      bytes += more
    } catch {
      others.removeFirst().cancel()
    }
    if bytes.count > limit { kill(.tooMuchOutput) }
  }

  private func kill(_ reason: HelperResult.Ending) {
    if killed == nil { killed = reason }
    stop()
    try? process.signal(SIGKILL)
  }

  private func stop() {
    for source in others { source.cancel() }
    others = []
  }

  private func reap() {
    let status: ExitStatus
    do throws(SystemError) {
      guard let ended = try process.reap() else { return }
      status = ended
    } catch {
      status = .unknown
    }
    // Reads the rest of the output, unless the process was killed for it.
    while killed == nil, let more = try? readAvailable(output, limit: 16 << 10), !more.isEmpty {
      bytes += more
      if bytes.count > limit { killed = .tooMuchOutput }
    }
    stop()
    let done = done
    self.done = nil
    let result = HelperResult(ending: killed ?? .ended(status), output: Array(bytes.prefix(limit)))
    // This comes last, because the handler that runs now is all that keeps this object alive.
    end?.cancel()
    end = nil
    done?(result)
  }
}
