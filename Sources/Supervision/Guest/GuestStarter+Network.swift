import GuestSpec
import Launching
import Linux
import Planning
import Systemd

extension GuestStarter {
  /// Furnished before anything of the guest runs; nil when there is nothing to furnish.
  ///
  /// - Throws: `SystemError` or `NftablesError`; everything is undone then.
  func network(of guest: Guest, in namespaces: GuestNamespaces) throws -> GuestNetwork? {
    // Somebody else furnishes the one at NamespacePath=.
    guard guest.network.isPrivate, let namespace = namespaces.network else { return nil }
    let plan = NetworkPlan(guest.network, of: guest.name, on: try MachineID.host().description)
    if plan.isEmpty { return nil }
    return try GuestNetwork(plan, in: namespace.descriptor, recordedAt: context.network(of: guest.name))
  }
}
