import Glibc
import GuestFiles
import GuestSpec
import Linux
import Systemd

// Instances that an earlier daemon left running.
extension Manager {
  /// Starts to manage every guest whose orphan, if any, is found. Where the search fails it is tried again, and nothing of the guest is
  /// changed meanwhile.
  ///
  /// - Throws: `SystemError` when there is no memory for the timer of that.
  func beginAll() throws(SystemError) {
    guard let context else { return }
    var isComplete = true
    do throws(SystemError) {
      let orphans = try context.backend.orphans()
      let waiting = supervisors.values.filter(\.state.isPending).map(\.name)
      let fileless = orphans.guests.filter { supervisors[$0] == nil && isConcerned($0) }
      for name in waiting + fileless where !begin(with: name, orphans, context) { isComplete = false }
    } catch {
      log(error, of: nil)
      isComplete = false
    }
    if isComplete { return orphanFailures = [:] }
    let retry = orphanRetry ?? Retry(timers)
    orphanRetry = retry
    try retry.schedule { [unowned self] in
      do throws(SystemError) {
        try beginAll()
      } catch {
        // The next daemon finds the orphans that this one did not.
        log.write(.cannotRun(error: "\(error)"))
        exit(EXIT_FAILURE)
      }
    }
  }

  /// - Returns: false when the search for the guest's orphan failed.
  private func begin(with name: String, _ orphans: any Orphans, _ context: Context) -> Bool {
    do throws(SystemError) {
      let orphan = try orphans.instance(of: name)
      if let supervisor = supervisors[name] {
        supervisor.begin(orphan: orphan)
        if endsAsleep { supervisor.wakeAtOnce() }
      } else if let orphan {
        // Its file was removed while no daemon ran: the instance is stopped, and the guest is forgotten then.
        let fileless = LoadedGuest(guest: Guest(name: name), diagnostics: [], listeners: [], files: [])
        let supervisor = makeSupervisor(fileless, context)
        supervisor.begin(orphan: orphan)
        supervisor.release(because: .configuration)
      }
      return true
    } catch {
      log(error, of: name)
      return false
    }
  }

  /// Logs an error once for each guest, as long as it stays the same.
  private func log(_ error: SystemError, of guest: String?) {
    guard orphanFailures[guest ?? "", default: ChangeFilter()].isNew(error) else { return }
    let message = Message.cannotEnumerateOrphans(error: "\(error)")
    if let guest, let supervisor = supervisors[guest] {
      supervisor.log(message)
    } else {
      log.write(message, guest: guest)
    }
  }
}
