import Lifecycle
import Linux
import Systemd

/// The places of the guests that may start at once (`MaxConcurrentStarts=`), shared by all supervisors.
final class StartPlaces {
  private let timers: any Timers
  private var queue: StartQueue
  /// What to call when the turn of a guest comes.
  private var grants: [String: () -> Void] = [:]
  /// The end of each place, whatever its guest does.
  private var ends: [String: any ArmedTimer] = [:]
  private var isGranting = false

  init(limit: Int, _ timers: any Timers) {
    queue = StartQueue(limit: limit)
    self.timers = timers
  }

  /// How many guests start now.
  var startingCount: Int { queue.starting.count }

  /// Asks for a place for the guest; `granted` is called if that is later.
  ///
  /// - Returns: whether it has one now.
  func request(for guest: String, granted: @escaping () -> Void) -> Bool {
    if queue.request(guest) {
      hold(guest)
      return true
    }
    grants[guest] = granted
    return false
  }

  /// The guest has started, or does not want to any more.
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

  private func hold(_ guest: String) {
    do throws(SystemError) {
      ends[guest] = try timers.timer(after: StartQueue.longestHold, accuracy: .milliseconds(100)) { [unowned self] in
        leave(guest)
      }
    } catch {
      // A place that might never be free again could stop all starts.
      queue.leave(guest)
    }
  }

  /// A guest that is granted a place may fail and leave at once, which leads here again: one after the other, not one inside the other.
  private func grantNext() {
    if isGranting { return }
    isGranting = true
    defer { isGranting = false }
    while let guest = queue.next() {
      hold(guest)
      grants.removeValue(forKey: guest)?()
    }
  }
}
