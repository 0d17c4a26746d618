import Launching
import Linux
import Systemd

/// The messages of one guest's PID 1, read no faster than a bucket allows.
///
/// Each message costs the daemon a moment, and a guest can send them without a pause. What exceeds the bucket waits in the socket: the guest
/// blocks when that is full, and every other guest is served meanwhile.
final class PacedMessages {
  private let socket: NotifySocket
  private let retry: Retry
  private var source: EventSource?
  private var bucket: TokenBucket

  /// More than a systemd sends during a boot.
  private static let burst = 256
  /// Fifty messages a second cost a hundredth of a processor.
  private static let interval = Duration.milliseconds(20)
  /// How many of the messages that a guest has left at its end are read: the last ones say how it ends.
  private static let lastWords = 32

  init(_ socket: NotifySocket, loop: EventLoop) {
    self.socket = socket
    retry = Retry(loop, after: Self.interval * NotifySocket.batch, accuracy: Self.interval)
    bucket = TokenBucket(burst: Self.burst, interval: Self.interval, at: Clocks.monotonic)
  }

  deinit { stop() }

  /// How many messages did not come from PID 1.
  var refused: Int { socket.refused }

  /// Calls `received` when something may be there.
  ///
  /// - Throws: `SystemError` of epoll_ctl(2).
  func watch(_ loop: EventLoop, received: @escaping () -> Void) throws(SystemError) {
    source = try loop.watch(socket.descriptor, for: .readable) { _ in received() }
  }

  /// Reads some of what PID 1 has sent, as much as is allowed now.
  ///
  /// - Throws: `SystemError` of recvmsg(2).
  func next(from process: GuestProcess) throws(SystemError) -> [NotifyMessage] {
    let allowed = min(bucket.available(at: Clocks.monotonic), NotifySocket.batch)
    if allowed <= 0 {
      pause()
      return []
    }
    let before = socket.received
    defer { bucket.take(socket.received - before) }
    return try socket.receive(from: process.payloadPID, pidfd: process.payloadPidfd, atMost: allowed)
  }

  private func pause() {
    do throws(SystemError) {
      try retry.schedule { [unowned self] in try? source?.setEnabled(true) }
      try source?.setEnabled(false)
    } catch {
      // Without a timer nothing would read the rest: it is read at the loop's pace.
      retry.cancel()
    }
  }

  /// Reads what PID 1 left when it ended, of which only the last messages count.
  ///
  /// - Throws: as `next`.
  func last(of process: GuestProcess) throws(SystemError) -> [NotifyMessage] {
    try socket.receive(
      from: process.payloadPID, pidfd: process.payloadPidfd, atMost: NotifySocket.queue, keeping: Self.lastWords)
  }

  /// Ends the watch.
  func stop() {
    retry.cancel()
    source?.cancel()
    source = nil
  }

  func removePath() { socket.removePath() }
}
