import Glibc
import GuestFiles
import GuestSpec
import Linux

// Guests that an earlier daemon left running.
extension Manager {
  /// Begins with every guest that awaits it. One of which it cannot be told what runs of it is tried again, with nothing of it touched
  /// meanwhile.
  ///
  /// - Throws: `SystemError` when there can be no timer for that.
  func beginAll() throws(SystemError) {
    guard let context else { return }
    beginLater = nil
    var isComplete = true
    do throws(SystemError) {
      let orphans = try Orphans(context)
      let awaiting = supervisors.values.filter(\.awaitsStart).map(\.name)
      let fileless = orphans.names.filter { supervisors[$0] == nil && isConcerned($0) }
      for name in awaiting + fileless where !begin(with: name, orphans, context) { isComplete = false }
    } catch {
      logOnce(error, of: nil)
      isComplete = false
    }
    if isComplete { return beginTroubles = [:] }
    beginLater = try loop.after(.seconds(1), accuracy: .milliseconds(100)) { [unowned self] in
      do throws(SystemError) {
        try beginAll()
      } catch {
        // The next daemon finds what this one did not.
        log.write(.cannotRun(error: "\(error)"))
        exit(EXIT_FAILURE)
      }
    }
  }

  /// - Returns: false when it cannot be told what runs.
  private func begin(with name: String, _ orphans: Orphans, _ context: Context) -> Bool {
    do throws(SystemError) {
      let run = try orphans.run(of: name)
      if let supervisor = supervisors[name] {
        supervisor.begin(orphan: run)
        if endsAsleep { supervisor.wakeAtOnce() }
      } else if let run {
        // Its file went while no daemon ran: it is ended, and then forgotten.
        let fileless = LoadedGuest(guest: Guest(name: name), diagnostics: [], listeners: [], files: [])
        let supervisor = makeSupervisor(fileless, context)
        supervisor.begin(orphan: run)
        supervisor.release(because: .configuration)
      }
      return true
    } catch {
      logOnce(error, of: name)
      return false
    }
  }

  private func logOnce(_ error: SystemError, of guest: String?) {
    if beginTroubles[guest ?? ""] == error { return }
    beginTroubles[guest ?? ""] = error
    let message = Message.cannotEnumerateOrphans(error: "\(error)")
    if let guest, let supervisor = supervisors[guest] {
      supervisor.say(message)
    } else {
      log.write(message, guest: guest)
    }
  }
}
