import CLaunch
import Linux

/// A process that does nothing. systemd makes a scope only for a process that exists, and the instance's PID 1 is made later.
///
/// It is killed when this value is deinitialized.
public final class Placeholder {
  private var holder = launch_holder()

  /// - Throws: `LaunchError` when the kernel makes no process, as with EAGAIN.
  public init() throws(LaunchError) {
    let error = launch_hold(0, 0, 0, &holder)
    if error != 0 { throw LaunchError("making a process for the guest's scope", errno: Int32(-error)) }
  }

  deinit { launch_release(&holder) }

  public var pid: Int32 { holder.pid }

  /// Its pidfd, which this value owns and closes.
  public var pidfd: Int32 { holder.pidfd }
}
