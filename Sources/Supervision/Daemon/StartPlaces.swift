import Lifecycle
import Linux
import Systemd

/// Limits how many guests start at the same time (`MaxConcurrentStarts=`). All supervisors share it.
final class StartPlaces {
  private let timers: any Timers
  private var queue: StartQueue
  /// What to call when a waiting guest may start.
  private var grants: [String: () -> Void] = [:]
  /// The timers that take each place back after `StartQueue.longestHold`.
  private var ends: [String: any ArmedTimer] = [:]
  private var isGranting = false
  private var isClosed = false

  init(limit: Int, _ timers: any Timers) {
    queue = StartQueue(limit: limit)
    self.timers = timers
  }

  /// How many guests start now.
  var startingCount: Int { queue.starting.count }

  /// Asks for a place for the guest. If it gets none now, `granted` is called when it gets one.
  ///
  /// - Returns: whether it has a place now.
  func request(for guest: String, granted: @escaping () -> Void) -> Bool {
    if queue.request(guest) {
      hold(guest)
      return true
    }
    grants[guest] = granted
    return false
  }

  /// Gives the guest's place back, or ends its wait for one: it has started, or is not to be started any more.
  func leave(_ guest: String) {
    queue.leave(guest)
    ends[guest] = nil
    grants[guest] = nil
    grantNext()
  }

  func setLimit(_ limit: Int) {
    queue.setLimit(limit)
    grantNext()
  }

  /// Gives no place to guests that wait: the daemon ends, and the places that the guests give back are for nobody.
  func close() { isClosed = true }

  private func hold(_ guest: String) {
    do throws(SystemError) {
      ends[guest] = try timers.timer(after: StartQueue.longestHold, accuracy: .milliseconds(100)) { [unowned self] in
        leave(guest)
      }
    } catch {
      // Without a timer the place might never be free again, and no guest could start.
      queue.leave(guest)
    }
  }

  /// `granted` may make its guest fail and call `leave`, which calls this function again. The flag turns that recursion into a loop.
  private func grantNext() {
    if isGranting || isClosed { return }
    isGranting = true
    defer { isGranting = false }
    while let guest = queue.next() {
      hold(guest)
      grants.removeValue(forKey: guest)?()
    }
  }
}
