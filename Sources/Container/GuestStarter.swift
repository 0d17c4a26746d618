import Glibc
import GuestSpec
import Launching
import Linux
import Planning
import Supervision
import Systemd

/// Makes PID 1 of a guest from its files and its listeners: facts, plan, cgroup, notify socket, launch. When a step fails, the steps before
/// it are undone.
struct GuestStarter {
  let backend: ContainerBackend

  /// Makes PID 1, which gives `start.willExecute` the instance before the guest's program is executed.
  ///
  /// - Throws: `StartError`; nothing of the instance is left then.
  func start(_ start: InstanceStart) throws(StartError) -> StartOutcome {
    let guest = start.guest
    try refuseShortage(for: guest)
    let (name, found, ownID) = try gather(guest)
    // Before anything changes the root: another system may be running in it.
    let root = try backend.rootLocks.claim(found.root, for: guest)
    // The scope is requested as early as possible, so that the service manager makes it while the guest is prepared.
    let scope = try scope(of: name, guest)
    var facts = found
    let users = try chooseUsers(guest, &facts)
    if let change = users.change {
      scope?.release()
      change.lock = root
      return .delayed(by: change)
    }
    let notify: NotifySocket
    do throws(SystemError) {
      notify = try NotifySocket(path: backend.notifySocket(of: name), user: facts.users?.map.users.outer ?? 0)
    } catch {
      throw .system(error)
    }
    let machineID = backend.machineIDs.claim(facts.identity.machineID, for: guest.name, else: ownID)
    facts.identity.machineID = machineID.id
    facts.listenerNames = start.listenerNames
    facts.initSystem = start.initSystem
    facts.controllers = backend.cgroupBase.controllers
    facts.hostSide.notifySocket = backend.notifySocket(of: name)
    let (plan, host) = try plan(guest, facts)
    let passed: DescriptorList
    do throws(SystemError) { passed = try start.listeners() } catch { throw .system(error) }
    let holdings = ContainerInstance.Holdings(host: host, users: users.claim, machineID: machineID, root: root)
    return .instance(try launch(start, name, plan, passed, users.namespaces, holdings, notify, scope))
  }

  /// - Returns: nil where systemd is not the host's service manager.
  private func scope(of name: InstanceName, _ guest: Guest) throws(StartError) -> ScopeRequest? {
    do throws(LaunchError) {
      return try backend.scopes?.request(name, timeoutStop: guest.policy.timeoutStop)
    } catch {
      throw .launch(error)
    }
  }

  /// - Returns: the instance's name, what is known of host and root, and the machine ID of a guest whose root has none.
  private func gather(_ guest: Guest) throws(StartError) -> (name: InstanceName, facts: StartFacts, ownID: String) {
    do throws(SystemError) {
      // Makes the runtime directory too, should somebody have removed it.
      try makeDirectories(backend.staging)
      let ownID = try MachineID.guest(guest.name).description
      let facts = try StartFacts.gather(for: guest, staging: backend.staging, fallbackMachineID: ownID)
      let numbers = InstanceNumbers(runtime: backend.runtime)
      return (try numbers.next(for: guest.name, in: backend.cgroupBase.path, slice: backend.slice), facts, ownID)
    } catch {
      throw .system(error)
    }
  }

  private func chooseUsers(_ guest: Guest, _ facts: inout StartFacts) throws(StartError) -> UserChoice {
    let users: UserChoice
    do throws(UserChoiceError) { users = try chooseUsers(guest, root: facts.root) } catch { throw StartError(error) }
    facts.users = users.users
    facts.findBindMaps(for: guest)
    do throws(BoundUsersError) {
      try facts.findBoundUsers(for: guest, in: users.namespaces)
    } catch {
      throw StartError(error)
    }
    try refuseExposure(of: guest, facts)
    return users
  }

  private func plan(_ guest: Guest, _ found: StartFacts) throws(StartError) -> (LaunchPlan, HostSide) {
    var facts = found
    let host: HostSide
    do throws(HostSideError) {
      host = try HostSide(making: guest, runtime: backend.runtime, facts: facts, discard: backend.sweeper.add)
    } catch {
      throw StartError(error)
    }
    host.complete(&facts)
    do throws(PlanError) { return (try Planning.plan(guest, facts), host) } catch { throw .plan(error) }
  }

  private func launch(
    _ start: InstanceStart, _ name: InstanceName, _ plan: LaunchPlan, _ passed: DescriptorList,
    _ namespaces: GuestNamespaces, _ prepared: ContainerInstance.Holdings, _ notify: NotifySocket,
    _ scope: ScopeRequest?
  ) throws(StartError) -> ContainerInstance {
    let record = InstanceRecord(runtime: backend.runtime)
    var cgroup: GuestCgroup?
    do throws(StartError) {
      var holdings = prepared
      let made: GuestCgroup
      do throws(SystemError) {
        // Before the start: a daemon that is killed in between leaves a record without a guest, never a guest without a record.
        try record.write(name, base: backend.cgroupBase.path, holdings.root)
        made = try makeCgroup(name)
        cgroup = made
      } catch {
        throw .system(error)
      }
      do throws(NetworkError) { holdings.network = try network(of: start.guest, name, in: namespaces) } catch {
        throw StartError(error)
      }
      do throws(LaunchError) {
        let waiting = try WaitingLaunch(
          plan, listeners: passed, namespaces: namespaces, handed: holdings.host.mounts, cgroup: made)
        let instance = ContainerInstance(backend, waiting.process, made, notify, holdings)
        instance.remarks = remarks(plan, holdings)
        let place = scope.flatMap { placement($0, of: instance, start.guest) }
        let ending = PlacedStart(instance, waiting, plan, place)
        instance.start = ending
        do throws(SystemError) {
          try start.willExecute(instance)
        } catch {
          throw LaunchError("taking control of the guest's PID 1 (\(error.call))", errno: error.errno)
        }
        try ending.begin()
        return instance
      } catch {
        throw .launch(error)
      }
    } catch {
      try? cgroup?.kill()
      try? cgroup?.remove()
      record.remove(name)
      throw error
    }
  }

  private func placement(_ scope: ScopeRequest, of instance: ContainerInstance, _ guest: Guest) -> Placement? {
    let machine = Machines.Machine(
      name: guest.name, id: instance.holdings?.machineID.flatMap { MachineID($0.id) }, leader: instance.pid,
      pidfd: instance.process.pidfd.raw, root: guest.rootDirectory,
      interfaces: instance.holdings?.network?.hostIndexes ?? [])
    return backend.scopes.map { Placement($0, backend.machines, scope, machine) }
  }

  /// What of the guest's file is not in force.
  private func remarks(_ plan: LaunchPlan, _ holdings: ContainerInstance.Holdings) -> [InstanceRemark] {
    var remarks: [InstanceRemark] = []
    if plan.devices == nil { remarks.append(.noDevicePolicy) }
    remarks += plan.notes.map { .notCarriedOut("\($0)") }
    switch holdings.host.diskLimit {
    case .unlimited, .kept: break
    case .unkept(let reason): remarks.append(.notCarriedOut("DiskMax= is not kept: \(reason)"))
    }
    if let other = holdings.machineID?.other { remarks.append(.sameMachineID(as: other)) }
    if let error = holdings.network?.routersError {
      remarks.append(.notCarriedOut("the host accepts IPv6 router advertisements of the guest: \(error)"))
    }
    return remarks
  }

  /// Makes the instance's cgroup. A guest must not run twice: while processes are in the cgroup of an earlier instance, this fails. No daemon
  /// manages them any more, so they are killed, and the next attempt succeeds.
  private func makeCgroup(_ name: InstanceName) throws(SystemError) -> GuestCgroup {
    let base = backend.cgroupBase
    do throws(SystemError) {
      try GuestCgroup.removeEnded(of: name.guest, in: base.path)
      return try GuestCgroup(making: name, in: base.path, controllers: base.controllers)
    } catch {
      if error.errno == EBUSY {
        for earlier in (try? GuestCgroup.instances(in: base.path)) ?? [] where earlier.guest == name.guest {
          try? GuestCgroup(existing: earlier, in: base.path).kill()
        }
      }
      throw error
    }
  }
}
