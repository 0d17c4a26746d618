import Launching
import Linux

/// Guests that an earlier daemon, killed, left running: found by the notes that it made and by the cgroups below our own.
struct Leftovers {
  private var bases: [String: String] = [:]

  init(_ surroundings: Surroundings) {
    let base = surroundings.cgroupBase
    for name in (try? GuestCgroup.guests(in: base)) ?? [] { bases[name] = base }
    for (name, base) in RunRecord(runtime: surroundings.runtime).all() { bases[name] = base }
  }

  var names: [String] { bases.keys.sorted() }

  /// What runs of a guest; nil when nothing does. What has no PID 1 to be told to halt is ended at once.
  func run(of name: String) -> Run? {
    guard let base = bases[name], let cgroup = try? GuestCgroup(existing: name, in: base) else { return nil }
    guard let leader = try? cgroup.leader(), let process = try? GuestProcess(adopting: leader),
      // Looked up once more: between the two calls the number could have become another process's.
      (try? cgroup.leader()) == leader
    else {
      try? cgroup.kill()
      try? cgroup.remove()
      return nil
    }
    return Run(process: process, cgroup: cgroup, notify: nil)
  }
}
