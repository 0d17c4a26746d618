import Linux

// What arrives on the connections of a frozen guest.
extension GuestListeners {
  /// Lets the alarm hear of all connections that will be made.
  ///
  /// - Throws: `SystemError` when the kernel does not let us; then there is no alarm.
  package func setAlarm(_ wanted: Bool, _ diag: SockDiag) throws(SystemError) {
    if !wanted { return removeAlarm() }
    do throws(SystemError) {
      let new = alarm == nil ? try DataAlarm() : nil
      if let new { use(new) }
      for listener in all where listener.tcpPort != nil && !listener.hasAlarm {
        try alarm?.attach(to: listener.descriptor)
        listener.hasAlarm = true
        // What the service manager passed has connections already that were made without it.
        unmonitored(try diag.tcpConnections(localPorts: [listener.tcpPort ?? 0]).map(\.cookie))
      }
    } catch {
      removeAlarm()
      throw error
    }
  }

  private func removeAlarm() {
    for listener in all where listener.hasAlarm {
      DataAlarm.detach(from: listener.primary.descriptor)
      listener.hasAlarm = false
    }
    use(nil)
  }
}
