import GuestSpec
import Launching
import Linux
import Planning
import Systemd

extension GuestStarter {
  /// Makes the interfaces in the guest's network namespace, before a process of the guest runs.
  ///
  /// - Returns: nil when the guest's file asks for none.
  /// - Throws: `NetworkError`; everything is undone then.
  func network(
    of guest: Guest, _ name: InstanceName, in namespaces: GuestNamespaces
  ) throws(NetworkError) -> GuestNetwork? {
    // The namespace at NamespacePath= is set up by whoever made it.
    guard guest.network.isPrivate, let namespace = namespaces.network else { return nil }
    let host: MachineID
    do throws(SystemError) { host = try MachineID.host() } catch { throw .system(error) }
    let plan = NetworkPlan(guest.network, of: guest.name, on: host.description)
    if plan.isEmpty { return nil }
    return try GuestNetwork(plan, in: namespace.descriptor, recordedAt: backend.network(of: name))
  }
}
