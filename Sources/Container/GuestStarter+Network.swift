import GuestSpec
import Launching
import Linux
import Planning
import Systemd

extension GuestStarter {
  /// Furnished before anything of the guest runs; nil when there is nothing to furnish.
  ///
  /// - Throws: `NetworkError`; everything is undone then.
  func network(
    of guest: Guest, _ name: InstanceName, in namespaces: GuestNamespaces
  ) throws(NetworkError) -> GuestNetwork? {
    // Somebody else furnishes the one at NamespacePath=.
    guard guest.network.isPrivate, let namespace = namespaces.network else { return nil }
    let host: MachineID
    do throws(SystemError) { host = try MachineID.host() } catch { throw .system(error) }
    let plan = NetworkPlan(guest.network, of: guest.name, on: host.description)
    if plan.isEmpty { return nil }
    return try GuestNetwork(plan, in: namespace.descriptor, recordedAt: backend.network(of: name))
  }
}
