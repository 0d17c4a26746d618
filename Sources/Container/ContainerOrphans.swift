import Glibc
import GuestSpec
import Launching
import Linux
import Supervision

/// Instances that a killed daemon left running. They are found by their files in the runtime directory, by the cgroups below the daemon's
/// own cgroup, and by the names of their scopes.
///
/// A search that fails, for example for want of descriptors, never means that nothing runs. The listeners of a running guest must not be
/// watched, and its cgroup, mounts and directories must not be removed.
struct ContainerOrphans: Orphans {
  /// The cgroups below which an instance may have its own. A record may be wrong, so the daemon's own cgroup is always one of them.
  private var bases: [InstanceName: Set<String>] = [:]
  /// The instances that have a record in the runtime directory.
  private var recorded: Set<InstanceName> = []
  private let record: InstanceRecord
  private let backend: ContainerBackend

  /// - Throws: `SystemError` when the search fails.
  init(_ backend: ContainerBackend) throws(SystemError) {
    let own = backend.cgroupBase.path
    self.backend = backend
    record = InstanceRecord(runtime: backend.runtime)
    for name in try GuestCgroup.instances(in: own) { bases[name] = [own] }
    if let slice = backend.slice {
      for (name, scope) in try InstanceName.scopes(in: slice) { bases[name, default: []].insert(scope) }
    }
    for (name, files) in try InstanceName.files(in: backend.runtime) {
      bases[name, default: [own]].insert(own)
      guard files.contains(.record) else { continue }
      recorded.insert(name)
      if let base = try record.base(of: name) { bases[name]?.insert(base) }
    }
  }

  /// The guests of which something is left.
  var guests: [String] { Set(bases.keys.map(\.guest)).sorted() }

  /// - Returns: the newest instance of a guest that runs; nil when none does, and nothing is left of the guest then.
  /// - Throws: `SystemError` when the search fails; it can be repeated.
  func instance(of guest: String) throws(SystemError) -> (any Instance)? {
    var running: GuestCgroup?
    for name in bases.keys.filter({ $0.guest == guest }).sorted(by: >) {
      // A guest must not run twice: an instance that is older than one that runs is killed.
      if let found = try cgroup(of: name, endsAll: running != nil) { running = found } else { clear(name) }
    }
    if let running {
      if let instance = try instance(in: running) { return instance }
      // It ended meanwhile.
      try end(running)
      clear(running.name)
    }
    _ = hostSide(of: guest)
    return nil
  }

  /// Searches for the cgroup of an instance. Processes without a PID 1, which alone could be told to halt, are killed.
  ///
  /// - Returns: the cgroup if the instance has a PID 1.
  private func cgroup(of name: InstanceName, endsAll: Bool) throws(SystemError) -> GuestCgroup? {
    var running: GuestCgroup?
    for base in (bases[name] ?? []).sorted() {
      do throws(SystemError) {
        let cgroup = try GuestCgroup(existing: name, in: base)
        if !endsAll, running == nil, try cgroup.leader() != nil { running = cgroup } else { try end(cgroup) }
      } catch {
        if !isAbsence(error, of: name) { throw error }
      }
    }
    return running
  }

  private func end(_ cgroup: GuestCgroup) throws(SystemError) {
    try cgroup.kill()
    try? cgroup.remove()
  }

  /// Removes what else is left of an instance that has ended.
  private func clear(_ name: InstanceName) {
    // The guest's next start tries again what fails here, and reports why.
    try? GuestNetwork.undo(leftAt: backend.network(of: name))
    removeFile(backend.notifySocket(of: name))
    record.remove(name)
  }

  /// Whether an error means that there is no such cgroup, or that it belongs to another daemon.
  private func isAbsence(_ error: SystemError, of name: InstanceName) -> Bool {
    // EBUSY: another daemon that runs has it. If this daemon's runtime directory has a record, that daemon is about to end.
    if error.errno == EBUSY { return !recorded.contains(name) }
    // ENOTDIR, ENAMETOOLONG, ELOOP: the path in a record may be nonsense.
    return [ENOENT, ENODEV, ENOTDIR, ENAMETOOLONG, ELOOP].contains(error.errno)
  }

  /// - Returns: nil when it has no PID 1 any more.
  private func instance(in cgroup: GuestCgroup) throws(SystemError) -> ContainerInstance? {
    do throws(SystemError) {
      guard let leader = try cgroup.leader() else { return nil }
      let process = try GuestProcess(adopting: leader, of: cgroup)
      let network = try GuestNetwork.found(backend.network(of: cgroup.name))
      let users = try backend.userRanges.claim(usersOf: leader)
      // Read once more: meanwhile the number could have become another process's.
      guard try cgroup.leader() == leader else { return nil }
      // Nobody receives there any more.
      removeFile(backend.notifySocket(of: cgroup.name))
      // Last, because the mounts and directories on the host are removed with this value.
      let holdings = ContainerInstance.Holdings(
        host: hostSide(of: cgroup.name.guest), network: network, users: users, root: rootLock(of: cgroup.name))
      backend.machines.adopt(cgroup.name.guest, leader: leader)
      let instance = ContainerInstance(backend, process, cgroup, nil, holdings)
      instance.limits = [("MemoryMax", "memory.max"), ("TasksMax", "pids.max")].compactMap { setting, file in
        cgroup.limit(file).map { InstanceLimit(setting, $0) }
      }
      return instance
    } catch {
      // It ended meanwhile.
      if error.errno == ESRCH { return nil }
      guard try cgroup.leader() == nil else { throw error }
      return nil
    }
  }

  /// Locks the root again: the lock ended with the daemon that held it. Nil when another system has locked the root since.
  private func rootLock(of name: InstanceName) -> RootLocks.Claim? {
    guard let root = record.root(of: name) else { return nil }
    return try? backend.rootLocks.claim(root.path, isShared: root.isShared, for: name.guest)
  }

  private func hostSide(of guest: String) -> HostSide {
    HostSide(adopting: guest, runtime: backend.runtime, discard: backend.sweeper.add)
  }
}
