import GuestSpec
import Launching
import Linux
import Supervision
import Systemd

/// Scopes of the service manager, one for each instance (systemd.scope(5)).
///
/// In a scope an instance is a unit of its own. In the daemon's own cgroup it would be a part of the daemon's service: it would be killed
/// with the service, `machinectl terminate` of one guest would end all of them, and systemd-machined 262 would take the daemon for the
/// instance's supervisor and send it SIGTERM when the instance ends.
final class Scopes {
  /// How long a start waits for the service manager and systemd-machined together. If one of them hangs, a client waits this long.
  static let deadline = Duration.seconds(1)

  let loop: EventLoop
  let bus: HostBus
  /// The directory on which cgroup 2 is mounted.
  let root: String
  /// Whether the service manager takes processes by their pidfds (systemd 254 and later).
  var takesPidfds = true
  /// The daemon's own unit; nil when it has none.
  private let unit: String?
  private let slice: String
  /// Called when an instance's scope is stopped; by the D-Bus object path of the scope.
  private var stops: [String: () -> Void] = [:]
  private var requests: SystemBus.Match?
  /// Why the last instance got no scope. It is reported once, until an instance gets one again.
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
    // Connects before a guest needs it, so that the first guest to wake does not wait.
    bus.use { _ in }
  }

  /// Asks the service manager for a scope, with a placeholder in it.
  ///
  /// - Parameters:
  ///   - name: the instance's name, from which the name of the scope derives.
  ///   - timeoutStop: how long a stop of the instance may take; nil: without limit.
  /// - Returns: the request, which is settled later.
  /// - Throws: `LaunchError` when the placeholder cannot be started.
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
      // The limits of a guest come from its file, not from the service manager's defaults.
      ("Delegate", .boolean(true)),
      ("TasksMax", .unsigned64(.max)),
      ("CollectMode", .string("inactive-or-failed")),
      ("KillMode", .string("mixed")),
      // Longer than the guest's own timeout, at which the daemon kills the guest.
      ("TimeoutStopUSec", .span(timeoutStop.map { min($0, Self.longestStop) + Self.stopMargin })),
    ]
    if let controller { properties.append(("Controller", .string(controller))) }
    if let unit {
      // `Before=`: units are stopped in the reverse order, so at a shutdown the daemon is stopped first, and ends its guests. `PartOf=`: a
      // stop of the daemon also stops the scopes that are left. When the daemon is killed, they run on.
      properties += [("Before", .strings([unit])), ("PartOf", .strings([unit]))]
    }
    return properties
  }

  private static let stopMargin = Duration.seconds(10)
  private static let longestStop = Duration.seconds(365 * 86400)

  /// - Returns: the remark if it is new, so that it is reported once.
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
