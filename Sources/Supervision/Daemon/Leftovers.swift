import Launching
import Linux

/// Guests that an earlier daemon, killed, left running: found by the notes that it made and by the cgroups below our own.
struct Leftovers {
  /// The cgroups below which a guest may be. A note may be wrong, so our own is always one of them.
  private var bases: [String: Set<String>] = [:]
  private let record: RunRecord
  private let runtime: String

  init(_ surroundings: Surroundings) {
    let own = surroundings.cgroupBase.path
    runtime = surroundings.runtime
    record = RunRecord(runtime: surroundings.runtime)
    for name in (try? GuestCgroup.guests(in: own)) ?? [] { bases[name] = [own] }
    for (name, base) in record.all() { bases[name] = base.map { [$0, own] } ?? [own] }
  }

  var names: [String] { bases.keys.sorted() }

  /// What runs of a guest; nil when nothing does, and its note is gone then.
  func run(of name: String) -> Run? {
    for base in (bases[name] ?? []).sorted() {
      if let run = run(of: name, in: base) { return run }
    }
    record.remove(name)
    _ = HostSide(adopting: name, runtime: runtime)
    return nil
  }

  /// What has no PID 1 to be told to halt is ended at once.
  private func run(of name: String, in base: String) -> Run? {
    guard let cgroup = try? GuestCgroup(existing: name, in: base) else { return nil }
    guard let leader = try? cgroup.leader(), let process = try? GuestProcess(adopting: leader),
      // Looked up once more: between the two calls the number could have become another process's.
      (try? cgroup.leader()) == leader
    else {
      try? cgroup.kill()
      try? cgroup.remove()
      return nil
    }
    return Run(
      process: process, cgroup: cgroup, host: HostSide(adopting: name, runtime: runtime), notify: nil)
  }
}
