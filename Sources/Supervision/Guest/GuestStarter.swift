import Glibc
import GuestSpec
import Launching
import Linux
import Listeners
import Planning
import Systemd

/// From a guest and its listeners to a PID 1: facts, plan, cgroup, notify socket, launch. Undoes what it did when a step fails.
struct GuestStarter {
  let context: Context

  /// Makes PID 1 and gives the run to `watch` before the guest's program is executed; when that throws the guest is ended again.
  ///
  /// - Returns: the run that is watched.
  /// - Throws: `StartFailure`; nothing of the guest is left then.
  func start(
    _ guest: Guest, _ listeners: GuestListeners, watch: (Run) throws(SystemError) -> Void
  ) throws(StartFailure) -> Run {
    do {
      try listeners.keepEmergencyDescriptors()
      // With the runtime directory, should somebody have taken that away.
      try makeDirectories(context.staging)
      let own = try MachineID.guest(guest.name).description
      var facts = try StartFacts.gather(for: guest, staging: context.staging, fallbackMachineID: own)
      let users = try chooseUsers(guest, root: facts.root)
      facts.users = users.users
      facts.findBindMaps(for: guest)
      try facts.findBoundUsers(for: guest, in: users.namespaces)
      let notify = try NotifySocket(
        path: context.notifySocket(of: guest.name), user: facts.users?.map.users.outer ?? 0)
      let machineID = context.machineIDs.claim(facts.machineID, for: guest.name, else: own)
      facts.machineID = machineID.id
      let (plan, host) = try plan(guest, listeners, facts)
      let passed = try listeners.duplicates(context.sockDiag)
      for listener in listeners.all where listener.listen.kind == .datagram {
        // The first call switches the stamps on.
        _ = try lastDatagram(on: listener.descriptor)
      }
      let run = try run(guest, plan, passed, users, host, notify, watch)
      run.machineID = machineID
      return run
    } catch let error as SystemError {
      throw .system(error)
    } catch let error as CredentialError {
      throw .credential(error)
    } catch let error as JournalError {
      throw .journal(error)
    } catch let error as PlanError {
      throw .plan(error)
    } catch let error as UsersError {
      throw .users(error)
    } catch let error as BindUserError {
      throw .boundUser(error)
    } catch let error as LaunchError {
      throw .launch(error)
    } catch let error as NftablesError {
      throw .filter(error)
    } catch {
      preconditionFailure("no other error is thrown here: \(error)")
    }
  }

  private func run(
    _ guest: Guest, _ plan: LaunchPlan, _ passed: DescriptorList, _ users: UserChoice, _ host: HostSide,
    _ notify: NotifySocket,
    _ watch: (Run) throws(SystemError) -> Void
  ) throws -> Run {
    let name = guest.name
    let record = InstanceRecord(runtime: context.runtime)
    // Before the start: a daemon killed in between leaves a note about nothing, never a guest without a note.
    try record.write(name, base: context.cgroupBase.path)
    do {
      let cgroup = try makeCgroup(name)
      do {
        if let map = plan.users { try cgroup.delegate(toUser: map.users.outer, group: map.groups.outer) }
        let missing = try cgroup.apply(plan.limits)
        let network = try network(of: guest, in: users.namespaces)
        return try launch(
          plan, listeners: passed, namespaces: users.namespaces, handed: host.mounts, cgroup: cgroup
        ) { process throws(SystemError) in
          let run = Run(process: process, cgroup: cgroup, host: host, notify: notify)
          run.hasDevicePolicy = plan.devices != nil
          run.unmetLimits = plan.unmetLimits + missing
          run.notes = plan.notes
          run.network = network
          run.users = users.claim
          run.withoutUsersBecause = users.withoutBecause
          try watch(run)
          return run
        }
      } catch {
        try? cgroup.kill()
        try? cgroup.remove()
        throw error
      }
    } catch {
      record.remove(name)
      throw error
    }
  }

  /// Nothing that a daemon knows of runs in a cgroup that is still there. Whoever sits in it is ended, for the next attempt.
  private func makeCgroup(_ name: String) throws(SystemError) -> GuestCgroup {
    let base = context.cgroupBase
    do throws(SystemError) {
      return try GuestCgroup(making: name, in: base.path, controllers: base.controllers)
    } catch {
      if error.errno == EBUSY { try? GuestCgroup(existing: name, in: base.path).kill() }
      throw error
    }
  }

  private func plan(
    _ guest: Guest, _ listeners: GuestListeners, _ found: StartFacts
  ) throws -> (LaunchPlan, HostSide) {
    var facts = found
    facts.listenerNames = listeners.all.map { $0.name(in: guest.name) }
    facts.controllers = context.cgroupBase.controllers
    facts.notifySocket = context.notifySocket(of: guest.name)
    let host = try HostSide(
      making: guest, runtime: context.runtime, facts: facts, discard: context.sweeper.take)
    host.complete(&facts)
    return (try Planning.plan(guest, facts), host)
  }
}

/// Why a guest could not be started.
enum StartFailure: Error, CustomStringConvertible {
  /// Its files ask for what cannot be.
  case plan(PlanError)
  /// Its credentials cannot be had.
  case credential(CredentialError)
  /// Its journal cannot be linked.
  case journal(JournalError)
  /// It cannot have the users that it is to have.
  case users(UsersError)
  /// Users of the host cannot be made known to it.
  case boundUser(BindUserError)
  /// A step between clone3(2) and execve(2) failed.
  case launch(LaunchError)
  /// Something around it failed.
  case system(SystemError)
  /// Rules of the packet filter that an earlier run left cannot be removed.
  case filter(NftablesError)

  var description: String {
    switch self {
    case .plan(let error): error.description
    case .credential(let error): error.description
    case .journal(let error): error.description
    case .users(let error): error.description
    case .boundUser(let error): error.description
    case .launch(let error): error.description
    case .system(let error): error.description
    case .filter(let error): "the rules of Port= of an earlier run stay: \(error)"
    }
  }
}
