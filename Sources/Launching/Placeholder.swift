import CLaunch
import Linux

/// A process that does nothing. The service manager makes a scope only for a process that runs, and the instance's own comes later.
///
/// It is ended with this value.
public final class Placeholder {
  private var holder = launch_holder()

  /// - Throws: `LaunchError` when there is no room for a process.
  public init() throws(LaunchError) {
    let error = launch_hold(0, 0, 0, &holder)
    if error != 0 { throw LaunchError("making a process for the guest's scope", errno: Int32(-error)) }
  }

  deinit { launch_release(&holder) }

  public var pid: Int32 { holder.pid }

  /// The number of its pidfd, borrowed.
  public var pidfd: Int32 { holder.pidfd }
}
