/// A descriptor that the launcher has before the child is there: slot n of a plan is the nth of `LaunchPlan.preloaded`.
public enum Preloaded: Hashable, Sendable {
  /// The devpts of which the launcher holds the console's master. In every plan, and the first.
  case terminals
  /// The guest's network namespace.
  case network
  /// The guest's user namespace.
  case users
  /// A user namespace that nobody enters: a mount's owners are translated by it.
  case mapping(IDMap)
  /// The credentials, which are in no plan.
  case credentials
  /// Where the guest puts sockets for the host.
  case unixExport
  /// The program of the small init.
  case smallInit
}
