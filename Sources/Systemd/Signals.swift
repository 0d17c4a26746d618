import Glibc
import Linux

/// Blocks `signals` in the calling thread and in all threads that it makes from now on.
///
/// Call it first in `main`, before the runtime makes threads: the kernel delivers a signal to a thread that does not block it, and
/// ``EventLoop/onSignal(_:priority:handler:)`` never gets it. A child inherits the mask across execve(2).
///
/// - Throws: `SystemError` with `EINVAL` for a number that is not a signal.
public func blockSignals(_ signals: [Int32]) throws(SystemError) {
  var set = sigset_t()
  sigemptyset(&set)
  for signal in signals {
    try retrying("sigaddset") { sigaddset(&set, signal) }
  }
  let code = pthread_sigmask(SIG_BLOCK, &set, nil)
  if code != 0 { throw SystemError("pthread_sigmask", errno: code) }
}
