/// A descriptor that the daemon opens before it makes the child. Slot n of a plan is the nth of `LaunchPlan.preloaded`.
public enum Preloaded: Hashable, Sendable {
  /// The devpts whose console master the daemon has. It is in every plan, and the first.
  case terminals
  /// The guest's network namespace.
  case network
  /// The guest's user namespace.
  case users
  /// A user namespace that no process enters: it maps the owners of a mount.
  case mapping(IDMap)
  /// The mount with the credentials, whose values are in no plan.
  case credentials
  /// The mount in which the guest makes sockets for the host.
  case unixExport
  /// The program of the small init.
  case smallInit
}
