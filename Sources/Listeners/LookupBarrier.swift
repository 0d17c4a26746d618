import Linux
import Systemd

/// Waits, in another thread, until the kernel has delivered every packet whose socket it had chosen before (`awaitLookups`). That takes 10
/// ms and more, in which the loop could serve nobody else.
///
/// One wait serves all that ask while the one before it runs.
package final class LookupBarrier {
  private let lookups: LookupsAwaited
  private var source: EventSource?
  /// The callbacks for which the present wait runs, and those that came after it began.
  private var current: [() -> Void] = []
  private var later: [() -> Void] = []

  /// - Throws: `SystemError` of eventfd(2) or epoll_ctl(2).
  package init(_ loop: EventLoop) throws(SystemError) {
    lookups = try LookupsAwaited()
    source = try loop.watch(lookups.descriptor, for: .readable) { [unowned self] _ in passed() }
  }

  /// The watch ends before the descriptor is closed, as epoll needs it.
  deinit { source?.cancel() }

  /// Calls `done` once, on the loop, when every socket lookup that began before this call is over.
  package func wait(_ done: @escaping () -> Void) {
    if !current.isEmpty { return later.append(done) }
    current = [done]
    lookups.begin()
  }

  private func passed() {
    lookups.end()
    let over = current
    current = later
    later = []
    if !current.isEmpty { lookups.begin() }
    for done in over { done() }
  }
}
