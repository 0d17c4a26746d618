import Linux
import Systemd

/// Reports to each guest the TCP connections on its ports that end.
///
/// A filter in the kernel drops what does not concern the ports of running guests, so nothing wakes the daemon while all guests sleep.
package final class EndedConnections {
  private struct Interest {
    let ports: Set<UInt16>
    let ended: ([TCPConnection]?) -> Void
  }

  private let loop: EventLoop
  private var interests: [String: Interest] = [:]
  private var watch: DestroyWatch?
  private var source: EventSource?

  package init(loop: EventLoop) { self.loop = loop }

  /// Reports connections on `ports` that end, until ``forget(_:)``.
  ///
  /// - Parameters:
  ///   - guest: whose ports they are. An earlier report to it is replaced.
  ///   - ports: local ports.
  ///   - ended: receives the connections; nil when the kernel lost reports.
  /// - Throws: `SystemError` when there is no netlink socket. Nothing is reported then.
  package func notify(_ guest: String, of ports: Set<UInt16>, ended: @escaping ([TCPConnection]?) -> Void)
    throws(SystemError)
  {
    interests[guest] = ports.isEmpty ? nil : Interest(ports: ports, ended: ended)
    if watch == nil {
      if ports.isEmpty { return }
      try open()
    }
    try watch?.watch(ports: allPorts)
  }

  /// Ends the reports to a guest.
  package func forget(_ guest: String) {
    interests[guest] = nil
    // A port too many in the filter costs a message, nothing else.
    try? watch?.watch(ports: allPorts)
  }

  /// Reports what has ended so far. The kernel may be a moment late.
  package func drain() {
    guard let watch else { return }
    let gone: [TCPConnection]? =
      switch try? watch.drain() {
      case .connections(let connections): connections
      // What could not be read is lost.
      case .overflow, nil: nil
      }
    for guest in interests.keys {
      // Looked up each time: a report may lead to a call of `forget`.
      guard let interest = interests[guest] else { continue }
      guard let gone else {
        interest.ended(nil)
        continue
      }
      let own = gone.filter { connection in connection.local.port.map(interest.ports.contains) ?? false }
      if !own.isEmpty { interest.ended(own) }
    }
  }

  private var allPorts: Set<UInt16> { interests.values.reduce(into: []) { $0.formUnion($1.ports) } }

  private func open() throws(SystemError) {
    let watch = try DestroyWatch()
    source = try loop.watch(watch.descriptor, for: .readable) { [unowned self] _ in drain() }
    self.watch = watch
  }
}
