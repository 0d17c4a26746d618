import CSystemd
import Linux

/// One thing the loop waits for. It ends with ``cancel()`` or with the last reference to it.
///
/// It does not own the descriptor it watches. Cancel it *before* the descriptor is closed: epoll knows the open file
/// behind the number, and goes on reporting a listener that a guest still holds, with no number left to take it out by.
/// A handler that captures the source keeps it alive until it is cancelled. Used on the loop's thread only, like the loop.
public final class EventSource {
  /// sd-event dispatches what is ready in the order of these; within one, in the order of arrival.
  public enum Priority: Int64, Sendable {
    /// Before everything else: the death of a guest, before what its death makes ready.
    case first = -100
    case normal = 0
    /// When nothing else is ready.
    case last = 100
  }

  private let loop: EventLoop
  private var source: OpaquePointer?

  /// Takes over the reference to `source`.
  init(owning source: OpaquePointer, loop: EventLoop) {
    self.source = source
    self.loop = loop
  }

  deinit { cancel() }

  /// Ends it: the handler is never called again, and is released. May be called inside the handler, and twice.
  public func cancel() {
    // sd-event puts the freeing off while it dispatches the source, so the handler's box outlives its call.
    sd_event_source_disable_unref(source)
    source = nil
  }

  /// Lets a watched descriptor rest, or watches it again; what is ready by then is reported. No effect once cancelled.
  ///
  /// - Throws: `SystemError` when epoll refuses the descriptor.
  public func setEnabled(_ enabled: Bool) throws(SystemError) {
    guard let source else { return }
    let state = Int32(enabled ? SD_EVENT_ON : SD_EVENT_OFF)
    try succeeding("sd_event_source_set_enabled", sd_event_source_set_enabled(source, state))
  }

  /// Changes what a watched descriptor is waited for. No effect once cancelled.
  ///
  /// - Throws: `SystemError` with `EDOM` for a source that watches no descriptor.
  public func setEvents(_ events: IOEvents) throws(SystemError) {
    guard let source else { return }
    try succeeding("sd_event_source_set_io_events", sd_event_source_set_io_events(source, events.rawValue))
  }
}

/// A handler where C can hold it by pointer: retained when the source is made, released by sd-event's destroy callback.
private final class Handler<Argument> {
  let call: (Argument) -> Void

  init(_ call: @escaping (Argument) -> Void) { self.call = call }
}

extension EventLoop {
  /// Calls `handler` whenever `fd` is ready for one of `events`, again and again as long as it is (level-triggered).
  ///
  /// - Returns: the watch, enabled. It does not own `fd`; cancel it before `fd` is closed.
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

  /// Calls `handler` once, `delay` from now, and up to `accuracy` later, so that it can share a wake-up with others.
  ///
  /// The clock is CLOCK_MONOTONIC, as for systemd's own timeouts: while the machine is suspended a guest can do nothing
  /// either, so the time does not count, neither against TimeoutStopSec= nor as idleness.
  ///
  /// - Throws: `SystemError` with `EOVERFLOW` for a delay beyond the clock's range.
  public func after(
    _ delay: Duration, accuracy: Duration = .milliseconds(1), priority: EventSource.Priority = .normal,
    handler: @escaping () -> Void
  ) throws(SystemError) -> EventSource {
    // An accuracy of 0 means 250 ms to sd-event.
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

  /// Calls `handler` for each `signal` that arrives.
  ///
  /// The signal must be blocked in every thread, see ``blockSignals(_:)``.
  ///
  /// - Throws: `SystemError` with `EBUSY` when `signal` is not blocked or has a handler already.
  public func onSignal(
    _ signal: Int32, priority: EventSource.Priority = .normal, handler: @escaping () -> Void
  ) throws(SystemError) -> EventSource {
    try add("sd_event_add_signal", Handler<Void>(handler), priority) { source, userdata in
      sd_event_add_signal(
        event, &source, signal,
        { _, _, userdata in
          Handler<Void>.at(userdata)?.call(())
          return 0
        }, userdata)
    }
  }

  /// Makes a source by `body` and gives `handler` over to it.
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
  /// The handler behind a source's `userdata`, retained while it is called.
  fileprivate static func at(_ userdata: UnsafeMutableRawPointer?) -> Handler? {
    userdata.map { Unmanaged<Handler>.fromOpaque($0).takeUnretainedValue() }
  }
}

extension Duration {
  /// In whole microseconds, rounded up; 0 when negative, the largest number when beyond it.
  var microseconds: UInt64 {
    let (seconds, attoseconds) = components
    if seconds < 0 || attoseconds < 0 { return 0 }
    let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000)
    if overflow { return .max }
    let (sum, carried) = whole.addingReportingOverflow(UInt64(attoseconds + 999_999_999_999) / 1_000_000_000_000)
    return carried ? .max : sum
  }
}
