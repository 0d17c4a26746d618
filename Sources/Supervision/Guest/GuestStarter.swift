import Glibc
import GuestSpec
import Launching
import Linux
import Listeners
import Planning
import Systemd

/// Makes PID 1 of a guest from its files and its listeners: facts, plan, cgroup, notify socket, launch. When a step fails, it undoes those
/// before.
struct GuestStarter {
  let context: Context

  /// Makes PID 1 and gives the run to `watch` before the guest's program is executed; when that throws the guest is ended again.
  ///
  /// - Returns: the run that is watched.
  /// - Throws: `StartFailure`; nothing of the guest is left then.
  func start(
    _ guest: Guest, _ listeners: GuestListeners, watch: (Run) throws(SystemError) -> Void
  ) throws(StartFailure) -> Run {
    let (name, found, ownID) = try gather(guest, listeners)
    var facts = found
    let users = try chooseUsers(guest, &facts)
    let notify: NotifySocket
    do throws(SystemError) {
      notify = try NotifySocket(path: context.notifySocket(of: name), user: facts.users?.map.users.outer ?? 0)
    } catch {
      throw .system(error)
    }
    let machineID = context.machineIDs.claim(facts.machineID, for: guest.name, else: ownID)
    facts.machineID = machineID.id
    facts.listenerNames = listeners.all.map { $0.name(in: guest.name) }
    facts.controllers = context.cgroupBase.controllers
    facts.notifySocket = context.notifySocket(of: name)
    let (plan, host) = try plan(guest, facts)
    let passed: DescriptorList
    do throws(SystemError) { passed = try duplicate(listeners) } catch { throw .system(error) }
    let run = try run(guest, name, plan, passed, users, host, notify, watch)
    run.machineID = machineID
    return run
  }

  /// - Returns: the instance's name, what is known of host and root, and the machine ID of a guest whose root has none.
  private func gather(
    _ guest: Guest, _ listeners: GuestListeners
  ) throws(StartFailure) -> (name: InstanceName, facts: StartFacts, ownID: String) {
    do throws(SystemError) {
      try listeners.keepEmergencyDescriptors()
      // Makes the runtime directory too, should somebody have removed it.
      try makeDirectories(context.staging)
      let ownID = try MachineID.guest(guest.name).description
      let facts = try StartFacts.gather(for: guest, staging: context.staging, fallbackMachineID: ownID)
      let numbers = InstanceNumbers(runtime: context.runtime)
      return (try numbers.next(for: guest.name, in: context.cgroupBase.path), facts, ownID)
    } catch {
      throw .system(error)
    }
  }

  private func chooseUsers(_ guest: Guest, _ facts: inout StartFacts) throws(StartFailure) -> UserChoice {
    let users: UserChoice
    do throws(UserChoiceError) { users = try chooseUsers(guest, root: facts.root) } catch { throw StartFailure(error) }
    facts.users = users.users
    facts.findBindMaps(for: guest)
    do throws(BoundUsersError) {
      try facts.findBoundUsers(for: guest, in: users.namespaces)
    } catch {
      throw StartFailure(error)
    }
    return users
  }

  private func plan(_ guest: Guest, _ found: StartFacts) throws(StartFailure) -> (LaunchPlan, HostSide) {
    var facts = found
    let host: HostSide
    do throws(HostSideError) {
      host = try HostSide(making: guest, runtime: context.runtime, facts: facts, discard: context.sweeper.take)
    } catch {
      throw StartFailure(error)
    }
    host.complete(&facts)
    do throws(PlanError) { return (try Planning.plan(guest, facts), host) } catch { throw .plan(error) }
  }

  private func duplicate(_ listeners: GuestListeners) throws(SystemError) -> DescriptorList {
    let passed = try listeners.duplicates(context.sockDiag)
    for listener in listeners.all where listener.listen.kind == .datagram {
      // The first call turns time stamps on.
      _ = try lastDatagram(on: listener.descriptor)
    }
    return passed
  }

  private func run(
    _ guest: Guest, _ name: InstanceName, _ plan: LaunchPlan, _ passed: DescriptorList, _ users: UserChoice,
    _ host: HostSide, _ notify: NotifySocket, _ watch: (Run) throws(SystemError) -> Void
  ) throws(StartFailure) -> Run {
    let record = InstanceRecord(runtime: context.runtime)
    var cgroup: GuestCgroup?
    do throws(StartFailure) {
      let made: GuestCgroup
      do throws(SystemError) {
        // Before the start: a daemon killed in between leaves a record of nothing, never a guest without a record.
        try record.write(name, base: context.cgroupBase.path)
        made = try makeCgroup(name)
        cgroup = made
        if let map = plan.users { try made.delegate(toUser: map.users.outer, group: map.groups.outer) }
      } catch {
        throw .system(error)
      }
      let missing: [CgroupLimit]
      do throws(LaunchError) { missing = try made.apply(plan.limits) } catch { throw .launch(error) }
      let network: GuestNetwork?
      do throws(NetworkError) { network = try self.network(of: guest, name, in: users.namespaces) } catch {
        throw StartFailure(error)
      }
      do throws(LaunchError) {
        return try launch(
          plan, listeners: passed, namespaces: users.namespaces, handed: host.mounts, cgroup: made
        ) { process throws(SystemError) in
          let run = Run(process: process, cgroup: made, host: host, notify: notify)
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
        throw .launch(error)
      }
    } catch {
      try? cgroup?.kill()
      try? cgroup?.remove()
      record.remove(name)
      throw error
    }
  }

  /// Makes the instance's cgroup. The guest never runs twice: while processes are in the cgroup of an earlier instance this fails. No
  /// daemon knows them any more, so they are killed, for the next attempt.
  private func makeCgroup(_ name: InstanceName) throws(SystemError) -> GuestCgroup {
    let base = context.cgroupBase
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
