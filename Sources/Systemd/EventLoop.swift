import CSystemd
import Glibc
import Linux
import Synchronization

/// One sd-event(3) loop that is also the executor of an actor.
///
/// The thread that makes the loop runs it. Everything but ``enqueue(_:)`` is called on that thread only: before ``run()``, in a handler,
/// or in a method of an actor whose `unownedExecutor` is this loop. An idle loop blocks in one epoll_wait(2) without a timeout.
public final class EventLoop: SerialExecutor {
  // Trap: the pointer never changes, and only the loop's thread uses what it points to, because sd-event has no locks. Each entry point
  // checks that with `preconditionOnLoop`.
  nonisolated(unsafe) let event: OpaquePointer
  private let thread: pthread_t
  private let jobs = Mutex<[UnownedJob]>([])
  private let wakeUp: OwnedFD
  // Trap: only the loop's thread may use it. The closures to call in the next turn.
  private nonisolated(unsafe) var nextTurn: [() -> Void] = []

  /// Makes the loop of the calling thread.
  ///
  /// - Throws: `SystemError` when the kernel refuses an epoll instance, an eventfd or a timerfd.
  public init() throws(SystemError) {
    let wakeUp = OwnedFD(owning: try retrying("eventfd") { eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)) })
    var event: OpaquePointer?
    try succeeding("sd_event_new", sd_event_new(&event))
    guard let event else { throw SystemError("sd_event_new", errno: ENOMEM) }
    self.event = event
    self.wakeUp = wakeUp
    thread = pthread_self()
    // The source floats: sd-event owns it. The loop outlives sd-event's use of it, because each EventSource keeps the loop alive and only
    // `run` dispatches.
    let callback: sd_event_io_handler_t = { _, _, _, loop in
      guard let loop else { return 0 }
      Unmanaged<EventLoop>.fromOpaque(loop).takeUnretainedValue().runJobs()
      return 0
    }
    let userdata = Unmanaged.passUnretained(self).toOpaque()
    try succeeding(
      "sd_event_add_io",
      sd_event_add_io(event, nil, self.wakeUp.raw, EPOLLIN.rawValue, callback, userdata))
    // sd-event opens the timerfd of a clock for the first timer on it, and keeps it open. If that happened later, there might be no
    // descriptor left, and no deadline would expire.
    _ = try after(.seconds(1)) {}
  }

  deinit { sd_event_unref(event) }

  /// Dispatches events and jobs, one after the other, until ``exit()``. A loop runs once.
  ///
  /// - Throws: `SystemError` when sd_event_run(3) fails for five seconds in a row. No handler can cause that.
  public func run() throws(SystemError) {
    preconditionOnLoop()
    var failures = 0
    while sd_event_get_state(event) != Int32(SD_EVENT_FINISHED) {
      do throws(SystemError) {
        try succeeding("sd_event_run", sd_event_run(event, .max))
        failures = 0
      } catch {
        // Try again: a shortage in the kernel that passes is no reason to leave the guests alone.
        failures += 1
        if failures > Self.mostFailures { throw error }
        _ = poll(nil, 0, Self.pauseMilliseconds)
        // sd-event notes that a timerfd is armed before it arms it. Any change of the clock's timers makes it arm the timerfd again.
        _ = try? after(.seconds(1)) {}
      }
    }
  }

  /// Failures in a row before `run` gives up: five seconds with the pauses between them.
  private static let mostFailures = 500
  private static let pauseMilliseconds: Int32 = 10

  /// Makes ``run()`` return after the handler or job that calls this.
  public func exit() {
    preconditionOnLoop()
    // This fails only for a loop that has finished already.
    sd_event_exit(event, 0)
  }

  func preconditionOnLoop() {
    // Trap: the caller is on another thread, and sd-event has no locks.
    precondition(isOnLoop, "the event loop is used on the thread that made it only")
  }

  private var isOnLoop: Bool { pthread_equal(pthread_self(), thread) != 0 }
}

// MARK: - The executor

extension EventLoop {
  /// Queues a job, from any thread. Jobs run on the loop's thread, in the order in which they are queued.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let wasEmpty = jobs.withLock { queue in
      defer { queue.append(job) }
      return queue.isEmpty
    }
    // One write wakes the loop for a whole batch. It cannot fail, because each batch resets the counter.
    if wasEmpty { eventfd_write(wakeUp.raw, 1) }
  }

  /// Runs the jobs that are queued now. Jobs queued meanwhile wait for the next iteration, so that jobs never starve descriptors.
  private func runJobs() {
    // The counter is reset before the queue is emptied: a job that arrives in between then wakes the loop needlessly rather than never.
    var count: eventfd_t = 0
    eventfd_read(wakeUp.raw, &count)
    let batch = jobs.withLock { queue in
      defer { queue = [] }
      return queue
    }
    let bodies = nextTurn
    nextTurn = []
    for body in bodies { body() }
    for job in batch { job.runSynchronously(on: asUnownedSerialExecutor()) }
  }

  /// Calls `body` in the next turn of the loop, after the other sources that are ready. It needs no memory of the kernel's, so it serves
  /// for attempts that have to be repeated when no timer can be made.
  public func soon(_ body: @escaping () -> Void) {
    preconditionOnLoop()
    nextTurn.append(body)
    eventfd_write(wakeUp.raw, 1)
  }

  public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  /// Handlers run outside of any task, where the runtime does not know the executor. The thread shows whether it is this one.
  public func checkIsolated() { preconditionOnLoop() }

  public func isIsolatingCurrentContext() -> Bool? { isOnLoop }
}

/// Checks the result of a libsystemd call, which is a negative errno on failure.
///
/// - Throws: `SystemError` with `call` when `result` is negative.
@discardableResult
func succeeding(_ call: @autoclosure () -> String, _ result: Int32) throws(SystemError) -> Int32 {
  if result < 0 { throw SystemError(call(), errno: -result) }
  return result
}
