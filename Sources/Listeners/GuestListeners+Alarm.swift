import Glibc
import Linux
import Systemd

/// Reports data that arrives on the connections of a frozen guest, by an eBPF socket filter (`DataAlarm`).
final class ConnectionAlarm {
  let filter: DataAlarm
  private var source: EventSource?
  /// Connections that were made before the filter was attached: nothing reports their data.
  fileprivate(set) var unmonitored: Set<UInt64> = []

  fileprivate init(_ loop: EventLoop, activity: @escaping () -> Void) throws(SystemError) {
    filter = try DataAlarm()
    source = try loop.watch(filter.descriptor, for: .readable) { [unowned self] _ in
      do throws(SystemError) { try filter.disarm() } catch { source = nil }  // it would be reported without end
      activity()
    }
  }

  /// The watch ends before the descriptor is closed, as epoll needs it.
  deinit { source?.cancel() }

  /// False when it had to be given up: its reports could not be ended.
  fileprivate var isWatched: Bool { source != nil }

  fileprivate func arm() throws(SystemError) {
    // Its watch was given up: nothing would report the data.
    if !isWatched { throw SystemError("arm the data alarm", errno: EIO) }
    try filter.arm()
  }
}

extension GuestListeners {
  /// Makes all connections report their data while the alarm is armed, if `wanted`.
  ///
  /// - Parameters:
  ///   - wanted: false removes the alarm.
  ///   - diag: finds the connections that were made before the filter was attached.
  ///   - loop: watches the alarm.
  ///   - activity: called when data arrives; the alarm is disarmed then.
  /// - Throws: `SystemError` when the kernel refuses the filter; then there is no alarm.
  package func setAlarm(
    _ wanted: Bool, _ diag: SockDiag, _ loop: EventLoop, activity: @escaping () -> Void
  ) throws(SystemError) {
    if !wanted { return removeAlarm() }
    do throws(SystemError) {
      if alarm?.isWatched == false { removeAlarm() }
      let alarm: ConnectionAlarm
      if let there = self.alarm { alarm = there } else { alarm = try ConnectionAlarm(loop, activity: activity) }
      use(alarm)
      var ports: Set<UInt16> = []
      for listener in all where !listener.hasAlarm {
        guard let port = listener.tcpPort else { continue }
        try alarm.filter.attach(to: listener.descriptor)
        listener.hasAlarm = true
        ports.insert(port)
      }
      // A socket that the service manager passed has connections that were made without the filter.
      if !ports.isEmpty { alarm.unmonitored.formUnion(try diag.tcpConnections(localPorts: ports).map(\.cookie)) }
    } catch {
      removeAlarm()
      throw error
    }
  }

  /// Reports data from now on.
  ///
  /// - Throws: `SystemError` of bpf(2); nothing is reported then.
  package func armAlarm() throws(SystemError) { try alarm?.arm() }

  /// Reports no data any more.
  ///
  /// - Throws: `SystemError` of bpf(2); one more report may follow.
  package func disarmAlarm() throws(SystemError) { try alarm?.filter.disarm() }

  private func removeAlarm() {
    for listener in all where listener.hasAlarm {
      DataAlarm.detach(from: listener.primary.descriptor)
      listener.hasAlarm = false
    }
    use(nil)
  }
}
