import Linux
import Systemd

/// Tells guests which TCP connections on their ports came to their end.
///
/// The kernel passes on only what concerns the ports of guests that run: with every guest asleep nothing wakes the daemon.
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

  /// Calls `ended` with connections on `ports` that are gone, until the guest is forgotten; with nil when the kernel could not tell of all.
  ///
  /// - Throws: `SystemError` when the netlink socket cannot be had; then it is never called.
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

  package func forget(_ guest: String) {
    interests[guest] = nil
    // Hearing of a port too many costs a message, nothing else.
    try? watch?.watch(ports: allPorts)
  }

  /// Tells what has ended by now; the kernel may be a moment late.
  package func drain() {
    guard let watch else { return }
    let gone: [TCPConnection]? =
      switch try? watch.drain() {
      case .connections(let connections): connections
      // What could not be read is as good as lost.
      case .overflow, nil: nil
      }
    for guest in interests.keys {
      // Looked up each time: one guest's end may be another's.
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
