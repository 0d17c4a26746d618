import Linux
import Systemd

/// Tells guests when a TCP connection on one of their ports came to its end.
///
/// The kernel passes on only what concerns the ports of guests that want to know: with every guest asleep nothing wakes the daemon.
final class EndedConnections {
  private struct Interest {
    let ports: Set<UInt16>
    let ended: () -> Void
  }

  private let loop: EventLoop
  private var interests: [String: Interest] = [:]
  private var watch: DestroyWatch?
  private var source: EventSource?

  init(loop: EventLoop) { self.loop = loop }

  /// Calls `ended` each time that a connection on one of `ports` is gone, until `forget`.
  ///
  /// - Throws: `SystemError` when the netlink socket cannot be had; then it is never called.
  func tell(_ guest: String, of ports: Set<UInt16>, ended: @escaping () -> Void) throws(SystemError) {
    if ports.isEmpty { return }
    if watch == nil { try open() }
    interests[guest] = Interest(ports: ports, ended: ended)
    try watch?.watch(ports: allPorts)
  }

  func forget(_ guest: String) {
    interests[guest] = nil
    // Hearing of a port too many costs a look, nothing else.
    try? watch?.watch(ports: allPorts)
  }

  private var allPorts: Set<UInt16> { interests.values.reduce(into: []) { $0.formUnion($1.ports) } }

  private func open() throws(SystemError) {
    let watch = try DestroyWatch()
    source = try loop.watch(watch.descriptor, for: .readable) { [unowned self] _ in drain() }
    self.watch = watch
  }

  private func drain() {
    guard let watch else { return }
    // What could not be read is as good as lost: then every port may be concerned.
    let destroyed = (try? watch.drain()) ?? .overflow
    for guest in interests.keys {
      // Looked up each time: one guest's end may be another's.
      if let interest = interests[guest], destroyed.concern(interest.ports) { interest.ended() }
    }
  }
}

extension DestroyedConnections {
  fileprivate func concern(_ ports: Set<UInt16>) -> Bool {
    switch self {
    case .ports(let gone): !gone.isDisjoint(with: ports)
    case .overflow: true
    }
  }
}
