import CSystemd
import Glibc
import Linux
import Synchronization

/// One sd-event(3) loop that is also the executor of an actor.
///
/// The thread that makes the loop is the thread that runs it, and everything but ``enqueue(_:)`` is called on that thread
/// alone: before ``run()``, in a handler, or in a method of an actor whose `unownedExecutor` is this loop. With nothing
/// to do the thread sits in one epoll_wait(2) without a timeout.
public final class EventLoop: SerialExecutor {
  // sd-event is single-threaded. The pointer never changes, and what is behind it is touched on the loop's thread only,
  // which `preconditionOnLoop` checks at each way in.
  nonisolated(unsafe) let event: OpaquePointer
  private let thread: pthread_t
  private let jobs = Mutex<[UnownedJob]>([])
  private let wakeUp: OwnedFD

  /// Makes the loop of the calling thread.
  ///
  /// - Throws: `SystemError` when epoll or eventfd cannot be had.
  public init() throws(SystemError) {
    let wakeUp = OwnedFD(owning: try retrying("eventfd") { eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)) })
    var event: OpaquePointer?
    try succeeding("sd_event_new", sd_event_new(&event))
    guard let event else { throw SystemError("sd_event_new", errno: ENOMEM) }
    self.event = event
    self.wakeUp = wakeUp
    thread = pthread_self()
    // The source floats: sd-event owns it, and the loop outlives sd-event's use of it, because each EventSource keeps
    // the loop alive and only `run` dispatches.
    let callback: sd_event_io_handler_t = { _, _, _, loop in
      guard let loop else { return 0 }
      Unmanaged<EventLoop>.fromOpaque(loop).takeUnretainedValue().runJobs()
      return 0
    }
    let userdata = Unmanaged.passUnretained(self).toOpaque()
    try succeeding(
      "sd_event_add_io",
      sd_event_add_io(event, nil, self.wakeUp.raw, EPOLLIN.rawValue, callback, userdata))
    // sd-event opens a clock's timerfd with the first timer on it, and keeps it. Later there may be no descriptor left, and then no
    // deadline would hold.
    _ = try after(.seconds(1)) {}
  }

  deinit { sd_event_unref(event) }

  /// Waits for events and jobs, one after the other, until ``exit()``. A loop runs once.
  ///
  /// - Throws: `SystemError` when sd_event_run(3) goes on failing, which no handler can cause.
  public func run() throws(SystemError) {
    preconditionOnLoop()
    var failures = 0
    while sd_event_get_state(event) != Int32(SD_EVENT_FINISHED) {
      do throws(SystemError) {
        try succeeding("sd_event_run", sd_event_run(event, .max))
        failures = 0
      } catch {
        // A turn that failed is begun anew: that the kernel is short of something for a moment is no reason to leave the guests alone.
        failures += 1
        if failures > Self.mostFailures { throw error }
        _ = poll(nil, 0, Self.pauseMilliseconds)
        // sd-event takes a clock for armed before it has armed it; any change of its timers lets it do so again.
        _ = try? after(.seconds(1)) {}
      }
    }
  }

  /// In a row: five seconds.
  private static let mostFailures = 500
  private static let pauseMilliseconds: Int32 = 10

  /// Lets ``run()`` return after the handler or job that calls this.
  public func exit() {
    preconditionOnLoop()
    // Fails only for a loop that has finished already, which is what was asked for.
    sd_event_exit(event, 0)
  }

  func preconditionOnLoop() {
    // Trap: the caller is on another thread, and sd-event has no locks.
    precondition(isOnLoop, "the event loop belongs to the thread that made it")
  }

  private var isOnLoop: Bool { pthread_equal(pthread_self(), thread) != 0 }
}

// MARK: - The executor

extension EventLoop {
  /// Takes a job from any thread; it runs on the loop's thread, in the order of arrival.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let wasEmpty = jobs.withLock { queue in
      defer { queue.append(job) }
      return queue.isEmpty
    }
    // One write for a whole batch. It cannot fail: the counter is emptied before each batch.
    if wasEmpty { eventfd_write(wakeUp.raw, 1) }
  }

  /// Runs what is queued now. A job queued meanwhile waits for the next turn, so that jobs never starve descriptors.
  private func runJobs() {
    // The counter first: a job that arrives between the two wakes the loop once too often instead of never.
    var count: eventfd_t = 0
    eventfd_read(wakeUp.raw, &count)
    let batch = jobs.withLock { queue in
      defer { queue = [] }
      return queue
    }
    for job in batch { job.runSynchronously(on: asUnownedSerialExecutor()) }
  }

  public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  /// Handlers run outside of any task, where the runtime cannot know the executor: the thread tells.
  public func checkIsolated() { preconditionOnLoop() }

  public func isIsolatingCurrentContext() -> Bool? { isOnLoop }
}

/// The result of a libsystemd call, which reports an error as a negative errno.
///
/// - Throws: `SystemError` with `call` when `result` is negative.
@discardableResult
func succeeding(_ call: @autoclosure () -> String, _ result: Int32) throws(SystemError) -> Int32 {
  if result < 0 { throw SystemError(call(), errno: -result) }
  return result
}
