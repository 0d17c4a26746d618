import Launching
import Linux
import Systemd

/// The notification messages of one guest's PID 1 (sd_notify(3)), read no faster than a token bucket allows.
///
/// Each message costs the daemon time, and a guest can send them without a pause. Messages beyond the limit stay in the socket. When it is
/// full, the guest blocks, and the other guests are served.
final class PacedMessages {
  private let socket: NotifySocket
  private let retry: Retry
  private var source: EventSource?
  private var bucket: TokenBucket

  /// More than a systemd sends during a boot.
  private static let burst = 256
  /// Fifty messages a second, which cost a hundredth of a processor.
  private static let interval = Duration.milliseconds(20)
  /// How many of the messages that PID 1 left when it ended are read: the last ones, which say how it ended.
  private static let lastWords = 32

  init(_ socket: NotifySocket, loop: EventLoop) {
    self.socket = socket
    retry = Retry(loop, after: Self.interval * NotifySocket.batch, accuracy: Self.interval)
    bucket = TokenBucket(burst: Self.burst, interval: Self.interval, at: Clocks.monotonic)
  }

  deinit { stop() }

  /// How many messages did not come from PID 1.
  var refused: Int { socket.refused }

  /// Calls `received` when a message may have come.
  ///
  /// - Throws: `SystemError` of epoll_ctl(2).
  func watch(_ loop: EventLoop, received: @escaping () -> Void) throws(SystemError) {
    source = try loop.watch(socket.descriptor, for: .readable) { _ in received() }
  }

  /// Reads messages of PID 1, as many as the limit allows now.
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
      // Without a timer for the end of the pause the rest would never be read, so it is read in the loop's next turns.
      retry.cancel()
    }
  }

  /// Reads the messages that PID 1 left when it ended, and returns the last ones.
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
