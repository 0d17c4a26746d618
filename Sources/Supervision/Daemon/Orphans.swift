import Glibc
import Launching
import Linux

/// Guests that an earlier daemon, killed, left running: found by the notes that it made and by the cgroups below our own.
///
/// What cannot be told for want of descriptors or memory is an error, never "nothing runs": the listeners of a guest that runs must not
/// be watched, nor its cgroup and what is the host's of it be cleared away.
struct Orphans {
  /// The cgroups below which a guest may be. A note may be wrong, so our own is always one of them.
  private var bases: [String: Set<String>] = [:]
  /// The guests of which there is a note in our runtime directory.
  private var noted: Set<String> = []
  private let record: InstanceRecord
  private let context: Context

  /// - Throws: `SystemError` when they cannot be looked for.
  init(_ context: Context) throws(SystemError) {
    let own = context.cgroupBase.path
    self.context = context
    record = InstanceRecord(runtime: context.runtime)
    for name in try GuestCgroup.guests(in: own) { bases[name] = [own] }
    for name in try GuestNetwork.Place.guests(in: context.runtime) { bases[name] = bases[name] ?? [own] }
    for (name, base) in try record.all() {
      bases[name] = base.map { [$0, own] } ?? [own]
      noted.insert(name)
    }
  }

  var names: [String] { bases.keys.sorted() }

  /// What runs of a guest; nil when nothing does, and its note is gone then.
  ///
  /// - Throws: `SystemError` when that cannot be told; nothing has changed then.
  func run(of name: String) throws(SystemError) -> Run? {
    for base in (bases[name] ?? []).sorted() {
      if let run = try run(of: name, in: base) { return run }
    }
    // What stays is tried again at the guest's next start, which says then why.
    try? GuestNetwork.undo(leftAt: context.network(of: name))
    record.remove(name)
    _ = hostSide(of: name)
    return nil
  }

  private func run(of name: String, in base: String) throws(SystemError) -> Run? {
    do throws(SystemError) {
      let cgroup = try GuestCgroup(existing: name, in: base)
      if let run = try run(of: name, in: cgroup) { return run }
      // What has no PID 1 to be told to halt is ended at once.
      try cgroup.kill()
      try? cgroup.remove()
      return nil
    } catch {
      if isAbsence(error, of: name) { return nil }
      throw error
    }
  }

  /// Whether an error says that there is no such cgroup, or that it is no affair of ours.
  private func isAbsence(_ error: SystemError, of name: String) -> Bool {
    // A living daemon's with another runtime directory; with a note in ours its end is waited for.
    if error.errno == EBUSY { return !noted.contains(name) }
    // The last three: a note may say anything.
    return [ENOENT, ENODEV, ENOTDIR, ENAMETOOLONG, ELOOP].contains(error.errno)
  }

  /// - Returns: nil when it has no PID 1 (any more).
  private func run(of name: String, in cgroup: GuestCgroup) throws(SystemError) -> Run? {
    do throws(SystemError) {
      guard let leader = try cgroup.leader() else { return nil }
      let process = try GuestProcess(adopting: leader, of: cgroup)
      let network = try GuestNetwork.found(context.network(of: name), of: process)
      let users = try context.userRanges.note(usersOf: leader)
      // Looked up once more: between the calls the number could have become another process's.
      guard try cgroup.leader() == leader else { return nil }
      // Last: what is the host's of it goes with this value.
      let run = Run(process: process, cgroup: cgroup, host: hostSide(of: name), notify: nil)
      run.network = network
      run.users = users
      return run
    } catch {
      // It ended meanwhile.
      if error.errno == ESRCH { return nil }
      guard try cgroup.leader() == nil else { throw error }
      return nil
    }
  }

  private func hostSide(of name: String) -> HostSide {
    HostSide(adopting: name, runtime: context.runtime, discard: context.sweeper.take)
  }
}
