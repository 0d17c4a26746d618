import Linux
import Systemd

/// The connection to the system bus that scopes and machines share.
///
/// It stays open while no guest runs: an idle connection costs nothing, and the first guest to wake does not wait for a new one. When the
/// connection ends, the service manager also forgets who controls a scope (`Controller=`).
final class HostBus {
  private let loop: EventLoop
  private var connection: SystemBus?
  /// Calls that wait until the bus has given the connection its name.
  private var waiting: [(SystemBus) -> Void] = []
  private var lost: SystemBus.Match?
  /// Called with each new connection before anything else uses it.
  private var connected: [(SystemBus) -> Void] = []

  init(_ loop: EventLoop) { self.loop = loop }

  /// Calls `use` with the connection once the bus has given it its unique name: now or later. Without a bus, or if the connection ends
  /// before that, `use` is not called.
  ///
  /// - Returns: false when there is no bus.
  @discardableResult
  func use(_ use: @escaping (SystemBus) -> Void) -> Bool {
    do throws(SystemError) {
      let bus = try connect()
      if bus.uniqueName == nil { waiting.append(use) } else { use(bus) }
      return true
    } catch {
      return false
    }
  }

  /// Calls `prepare` with the present connection and with each later one, before anything else uses it.
  func prepare(_ prepare: @escaping (SystemBus) -> Void) {
    connected.append(prepare)
    if let connection { prepare(connection) }
  }

  private func connect() throws(SystemError) -> SystemBus {
    if let connection { return connection }
    let bus = try SystemBus(loop)
    // libsystemd reports the end of the connection as a signal of this object.
    lost = try bus.match(
      "type='signal',path='/org/freedesktop/DBus/Local',interface='org.freedesktop.DBus.Local',member='Disconnected'"
    ) { [unowned self] _ in disconnected() }
    // The answer to any call comes after the bus has given the connection its name.
    try bus.call(Self.driver, "GetId", []) { [unowned self] _ in ready() }
    connection = bus
    for prepare in connected { prepare(bus) }
    return bus
  }

  private func ready() {
    guard let bus = connection, bus.uniqueName != nil else { return }
    let waiting = waiting
    self.waiting = []
    for use in waiting { use(bus) }
  }

  private func disconnected() {
    // Callers that wait have deadlines of their own. The next use connects anew.
    waiting = []
    lost = nil
    connection = nil
  }

  private static let driver = SystemBus.Object(
    service: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus")
}
