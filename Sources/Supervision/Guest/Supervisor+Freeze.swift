import Glibc
import Launching
import Linux
import Systemd

// A guest that nobody uses stands still, and the daemon watches its listeners.
extension Supervisor {
  /// Longer than any process needs that does not wait for a disk or a network file system.
  static let freezePatience = Duration.seconds(2)

  func freeze() {
    do throws(SystemError) {
      try run?.freezer?.freeze { [unowned self] in take(.frozen) }
    } catch {
      say(.cannotFreeze(error: "\(error)"))
      take(.freezeFailed)
    }
  }

  /// All of the guest stands still. What came while it was being frozen lets it go on at once.
  func standIn() {
    history.counters.freezes += 1
    do throws(SystemError) {
      let isUnused = try idleWatch?.isStillUnused() ?? false
      if isFreezeAsked || isUnused {
        try listeners.standIn(surroundings.loop) { [unowned self] listener in
          thawCause = listener.address
          take(.connection)
        }
        try idleWatch?.rest()
        say(.frozen)
      } else {
        take(.stirred)
      }
    } catch {
      say(.cannotFreeze(error: "\(error)"))
      take(.stirred)
    }
  }

  func thaw() {
    let goesOn = state.word == .active
    do throws(SystemError) {
      // Who is told to halt is not waited for.
      let frozen = try run?.freezer?.thaw(leaderLast: goesOn)
      if goesOn, let frozen { say(.thawed(socket: thawCause, after: frozen)) }
    } catch {
      // ENODEV: it is gone, which will be told.
      if error.errno != ENODEV { say(.cannotEnd(error: "\(error)")) }
    }
    isFreezeAsked = false
    thawCause = nil
    if goesOn { idleWatch?.resume() }
  }
}
