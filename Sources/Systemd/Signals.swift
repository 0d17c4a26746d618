import Glibc
import Linux

/// Blocks `signals` in the calling thread and in all threads it makes from now on.
///
/// To be called first thing in `main`, before the runtime makes threads: a signal that one thread does not block is
/// delivered there, and ``EventLoop/onSignal(_:priority:handler:)`` never sees it. An exec'd child inherits the mask.
///
/// - Throws: `SystemError` with `EINVAL` for a number that is no signal.
public func blockSignals(_ signals: [Int32]) throws(SystemError) {
  var set = sigset_t()
  sigemptyset(&set)
  for signal in signals {
    try retrying("sigaddset") { sigaddset(&set, signal) }
  }
  let code = pthread_sigmask(SIG_BLOCK, &set, nil)
  if code != 0 { throw SystemError("pthread_sigmask", errno: code) }
}
