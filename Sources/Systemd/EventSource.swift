import CSystemd
import Linux

/// A source of events on the loop: a descriptor, a timer or a signal. It ends with ``cancel()`` or with the last reference to it.
///
/// It does not own the descriptor that it watches. Cancel it *before* the descriptor is closed: epoll watches the open file behind the
/// number. If a guest still holds that file, epoll keeps reporting it, and without the number it can no longer be removed. A handler
/// that captures the source keeps it alive until it is cancelled. Like the loop, it is used on the loop's thread only.
public final class EventSource {
  /// The order in which sd-event dispatches sources that are ready together; within a priority, in the order of arrival.
  public enum Priority: Int64, Sendable {
    /// Before everything else: the exit of a guest, before what its exit makes ready.
    case first = -100
    /// The control socket, so that an administrator is heard even when guests keep the loop busy.
    case control = -50
    case normal = 0
    /// Only when nothing else is ready.
    case last = 100
  }

  private let loop: EventLoop
  private var source: OpaquePointer?

  /// Takes over the caller's reference to `source`.
  init(owning source: OpaquePointer, loop: EventLoop) {
    self.source = source
    self.loop = loop
  }

  deinit { cancel() }

  /// Ends the source: its handler is never called again, and is released. May be called inside the handler, and more than once.
  public func cancel() {
    // sd-event frees a source that it is dispatching only afterwards, so the handler outlives its own call.
    sd_event_source_disable_unref(source)
    source = nil
  }

  /// Stops watching a descriptor, or watches it again and reports what is ready by then. No effect once cancelled.
  ///
  /// - Throws: `SystemError` when epoll refuses the descriptor.
  public func setEnabled(_ enabled: Bool) throws(SystemError) {
    guard let source else { return }
    let state = Int32(enabled ? SD_EVENT_ON : SD_EVENT_OFF)
    try succeeding("sd_event_source_set_enabled", sd_event_source_set_enabled(source, state))
  }

  /// Changes the order in which it is handled among the sources that are ready. No effect once cancelled.
  ///
  /// - Throws: `SystemError` when sd-event has no memory for that.
  public func setPriority(_ priority: Priority) throws(SystemError) {
    guard let source else { return }
    try succeeding("sd_event_source_set_priority", sd_event_source_set_priority(source, priority.rawValue))
  }

  /// Changes the events that a watched descriptor is watched for. No effect once cancelled.
  ///
  /// - Throws: `SystemError` with `EDOM` for a source that watches no descriptor.
  public func setEvents(_ events: IOEvents) throws(SystemError) {
    guard let source else { return }
    try succeeding("sd_event_source_set_io_events", sd_event_source_set_io_events(source, events.rawValue))
  }
}

/// A handler in a form that C can point to. It is retained when the source is made and released by sd-event's destroy callback.
private final class Handler<Argument> {
  let call: (Argument) -> Void

  init(_ call: @escaping (Argument) -> Void) { self.call = call }
}

extension EventLoop {
  /// Calls `handler` for as long as `fd` is ready for one of `events` (level-triggered).
  ///
  /// - Returns: the enabled source. It does not own `fd`; cancel it before `fd` is closed.
  /// - Throws: `SystemError` when epoll refuses `fd`: `EPERM` for a regular file, `EEXIST` when it is watched already.
  public func watch(
    _ fd: borrowing OwnedFD, for events: IOEvents, priority: EventSource.Priority = .normal,
    handler: @escaping (IOEvents) -> Void
  ) throws(SystemError) -> EventSource {
    let number = fd.raw
    return try add("sd_event_add_io", Handler(handler), priority) { source, userdata in
      sd_event_add_io(
        event, &source, number, events.rawValue,
        { _, _, ready, userdata in
          Handler<IOEvents>.at(userdata)?.call(IOEvents(rawValue: ready))
          return 0
        }, userdata)
    }
  }

  /// Calls `handler` once, `delay` from now or up to `accuracy` later, so that it can share a wake-up with other timers.
  ///
  /// The clock is CLOCK_MONOTONIC, as for systemd's own timeouts. It excludes the time for which the machine is suspended: a guest does
  /// not run meanwhile, so that time counts neither towards TimeoutStopSec= nor as idleness.
  ///
  /// - Throws: `SystemError` with `EOVERFLOW` for a delay beyond the clock's range.
  public func after(
    _ delay: Duration, accuracy: Duration = .milliseconds(1), priority: EventSource.Priority = .normal,
    handler: @escaping () -> Void
  ) throws(SystemError) -> EventSource {
    // sd-event takes an accuracy of 0 for its default of 250 ms.
    let accuracy = max(1, accuracy.microseconds)
    return try add("sd_event_add_time_relative", Handler<Void>(handler), priority) { source, userdata in
      sd_event_add_time_relative(
        event, &source, CLOCK_MONOTONIC, delay.microseconds, accuracy,
        { _, _, userdata in
          Handler<Void>.at(userdata)?.call(())
          return 0
        }, userdata)
    }
  }

  /// Calls `handler` for each `signal` that arrives, with the PID of the process that sent it. That is 0 for the kernel, and for a process
  /// outside of this PID namespace.
  ///
  /// Every thread must have blocked the signal, see ``blockSignals(_:)``.
  ///
  /// - Throws: `SystemError` with `EBUSY` when `signal` is not blocked or has a handler already.
  public func onSignal(
    _ signal: Int32, priority: EventSource.Priority = .normal, handler: @escaping (Int32) -> Void
  ) throws(SystemError) -> EventSource {
    try add("sd_event_add_signal", Handler<Int32>(handler), priority) { source, userdata in
      sd_event_add_signal(
        event, &source, signal,
        { _, information, userdata in
          Handler<Int32>.at(userdata)?.call(Int32(clamping: information?.pointee.ssi_pid ?? 0))
          return 0
        }, userdata)
    }
  }

  /// Makes a source with `body`, which passes ownership of `handler` to it.
  private func add<Argument>(
    _ call: String, _ handler: Handler<Argument>, _ priority: EventSource.Priority,
    _ body: (inout OpaquePointer?, UnsafeMutableRawPointer) -> Int32
  ) throws(SystemError) -> EventSource {
    preconditionOnLoop()
    var pointer: OpaquePointer?
    let userdata = Unmanaged.passRetained(handler)
    let result = body(&pointer, userdata.toOpaque())
    guard result >= 0, let pointer else {
      userdata.release()
      throw SystemError(call, errno: -result)
    }
    sd_event_source_set_destroy_callback(pointer) { userdata in
      if let userdata { Unmanaged<AnyObject>.fromOpaque(userdata).release() }
    }
    let source = EventSource(owning: pointer, loop: self)
    try succeeding("sd_event_source_set_priority", sd_event_source_set_priority(pointer, priority.rawValue))
    return source
  }
}

extension Handler {
  /// The handler that a source's `userdata` points to, retained while it is called.
  fileprivate static func at(_ userdata: UnsafeMutableRawPointer?) -> Handler? {
    userdata.map { Unmanaged<Handler>.fromOpaque($0).takeUnretainedValue() }
  }
}

extension Duration {
  /// Whole microseconds, rounded up; 0 for a negative duration, the largest number for one that is too long.
  var microseconds: UInt64 {
    let (seconds, attoseconds) = components
    if seconds < 0 || attoseconds < 0 { return 0 }
    let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000)
    if overflow { return .max }
    let (sum, carried) = whole.addingReportingOverflow(UInt64(attoseconds + 999_999_999_999) / 1_000_000_000_000)
    return carried ? .max : sum
  }
}
