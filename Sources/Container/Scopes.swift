import GuestSpec
import Launching
import Linux
import Supervision
import Systemd

/// Scopes of the service manager, one for each instance (systemd.scope(5)).
///
/// An instance that lies in the daemon's own cgroup is a part of the daemon's service: it is killed with the service, and
/// `machinectl terminate` of one guest ends all. systemd-machined 262 also takes the daemon for the instance's supervisor then, and sends it
/// SIGTERM when the instance ends. In a scope an instance is a unit of its own.
final class Scopes {
  /// For how long a start waits for the service manager and systemd-machined together. A client waits as long when one of them hangs.
  static let deadline = Duration.seconds(1)

  let loop: EventLoop
  let bus: HostBus
  /// The directory on which cgroup 2 is mounted.
  let root: String
  /// This version of the service manager takes processes by their pidfds (systemd 254).
  var takesPidfds = true
  /// The daemon's own unit; nil when it has none.
  private let unit: String?
  private let slice: String
  /// Called when the service manager is to stop an instance's scope, by the path of its object.
  private var stops: [String: () -> Void] = [:]
  private var requests: SystemBus.Match?
  /// What was wrong with the last instance's place. It is told once, until nothing is wrong.
  private var failure = ChangeFilter<String>()

  /// - Returns: nil when systemd is not the host's service manager: guests stay in the daemon's cgroup then.
  init?(_ loop: EventLoop, _ bus: HostBus) {
    guard ProcessUnit.hasManager, let root = try? Cgroup2.rootDirectory() else { return nil }
    self.loop = loop
    self.bus = bus
    self.root = root
    unit = ProcessUnit.name()
    slice = ProcessUnit.slice ?? "machine.slice"
    bus.prepare { [unowned self] in listen($0) }
    // Beforehand, so that the first guest to wake does not wait for it.
    bus.use { _ in }
  }

  /// Asks the service manager for a scope, with a placeholder in it.
  ///
  /// - Parameters:
  ///   - name: the instance's name, from which the scope's derives.
  ///   - timeoutStop: how long a stop of the instance may take; nil: as long as it takes.
  /// - Returns: the request, which is settled later.
  /// - Throws: `LaunchError` when there is no room for the placeholder.
  func request(_ name: InstanceName, timeoutStop: Duration?) throws(LaunchError) -> ScopeRequest {
    let request = ScopeRequest(name, self, try Placeholder())
    let isSent = bus.use { bus in
      request.send(on: bus, self.properties(of: name, timeoutStop, controller: bus.uniqueName))
    }
    if !isSent { request.settle(.failed("there is no system bus")) }
    return request
  }

  private func properties(
    of name: InstanceName, _ timeoutStop: Duration?, controller: String?
  ) -> [(name: String, value: BusValue)] {
    var properties: [(name: String, value: BusValue)] = [
      ("Description", .string("Guest \(name.guest)")),
      ("Slice", .string(slice)),
      // The limits of a guest are those of its file.
      ("Delegate", .boolean(true)),
      ("TasksMax", .unsigned64(.max)),
      ("CollectMode", .string("inactive-or-failed")),
      ("KillMode", .string("mixed")),
      // Past the guest's own timeout, at which the daemon kills it.
      ("TimeoutStopUSec", .span(timeoutStop.map { min($0, Self.longestStop) + Self.stopMargin })),
    ]
    if let controller { properties.append(("Controller", .string(controller))) }
    if let unit {
      // At a shutdown the daemon is stopped first, and ends its guests. What is left of them when somebody has stopped the daemon is stopped
      // as well, but nothing when the daemon was killed.
      properties += [("Before", .strings([unit])), ("PartOf", .strings([unit]))]
    }
    return properties
  }

  private static let stopMargin = Duration.seconds(10)
  private static let longestStop = Duration.seconds(365 * 86400)

  /// - Returns: the remark if it is to be told; nil also when nothing is wrong.
  func news(_ remark: InstanceRemark?) -> InstanceRemark? {
    guard let remark else {
      failure = ChangeFilter()
      return nil
    }
    return failure.isNew("\(remark)") ? remark : nil
  }

  // MARK: Stops

  /// Calls `stop` when somebody stops the instance's scope: `systemctl stop`, `machinectl terminate`, systemd 252 to 262.
  func onStop(of name: InstanceName, _ stop: @escaping () -> Void) {
    if let path = Self.path(of: name) { stops[path] = stop }
  }

  func forget(_ name: InstanceName) {
    if let path = Self.path(of: name) { stops[path] = nil }
  }

  private func listen(_ bus: SystemBus) {
    // The service manager sends the signal to the connection that made the scope (`Controller=`), and waits for the scope's end.
    requests = try? bus.match("type='signal',interface='org.freedesktop.systemd1.Scope',member='RequestStop'") {
      [unowned self] path in
      if stops[path] != nil { confirm(path, bus) }
    }
  }

  /// Every user may send a signal, so the service manager is asked whether the scope stops.
  private func confirm(_ path: String, _ bus: SystemBus) {
    let unit = SystemBus.Object(
      service: Self.manager.service, path: path, interface: "org.freedesktop.DBus.Properties")
    try? bus.call(unit, "Get", [.string("org.freedesktop.systemd1.Unit"), .string("ActiveState")]) { [unowned self] in
      if case .success("deactivating") = $0 { stops[path]?() }
    }
  }

  private static func path(of name: InstanceName) -> String? {
    SystemBus.path(below: "/org/freedesktop/systemd1/unit", of: name.scope)
  }

  static let manager = SystemBus.Object(
    service: "org.freedesktop.systemd1", path: "/org/freedesktop/systemd1",
    interface: "org.freedesktop.systemd1.Manager")
}
