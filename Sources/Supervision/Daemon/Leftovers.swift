import Launching
import Linux

/// Guests that an earlier daemon, killed, left running: found by the notes that it made and by the cgroups below our own.
struct Leftovers {
  /// The cgroups below which a guest may be. A note may be wrong, so our own is always one of them.
  private var bases: [String: Set<String>] = [:]
  private let record: RunRecord
  private let surroundings: Surroundings

  init(_ surroundings: Surroundings) {
    let own = surroundings.cgroupBase.path
    self.surroundings = surroundings
    record = RunRecord(runtime: surroundings.runtime)
    for name in (try? GuestCgroup.guests(in: own)) ?? [] { bases[name] = [own] }
    for name in GuestNetwork.Place.guests(in: surroundings.runtime) { bases[name] = bases[name] ?? [own] }
    for (name, base) in record.all() { bases[name] = base.map { [$0, own] } ?? [own] }
  }

  var names: [String] { bases.keys.sorted() }

  /// What runs of a guest; nil when nothing does, and its note is gone then.
  func run(of name: String) -> Run? {
    for base in (bases[name] ?? []).sorted() {
      if let run = run(of: name, in: base) { return run }
    }
    // What stays is tried again at the guest's next start, which says then why.
    try? GuestNetwork.undo(leftAt: surroundings.network(of: name))
    record.remove(name)
    _ = hostSide(of: name)
    return nil
  }

  /// What has no PID 1 to be told to halt is ended at once.
  private func run(of name: String, in base: String) -> Run? {
    guard let cgroup = try? GuestCgroup(existing: name, in: base) else { return nil }
    guard let leader = try? cgroup.leader(), let process = try? GuestProcess(adopting: leader, of: cgroup),
      // Looked up once more: between the two calls the number could have become another process's.
      (try? cgroup.leader()) == leader
    else {
      try? cgroup.kill()
      try? cgroup.remove()
      return nil
    }
    let host = hostSide(of: name)
    let run = Run(process: process, cgroup: cgroup, host: host, notify: nil)
    run.network = try? GuestNetwork.found(surroundings.network(of: name), of: process)
    run.users = surroundings.userRanges.note(usersOf: leader)
    return run
  }

  private func hostSide(of name: String) -> HostSide {
    HostSide(adopting: name, runtime: surroundings.runtime, discard: surroundings.sweeper.take)
  }
}
