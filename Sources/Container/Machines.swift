import Glibc
import Systemd

/// The guests that systemd-machined is told of, so that `machinectl`, `systemctl -M` and the like find them. Where there is no
/// machined, or no bus, nothing is missing otherwise.
///
/// A machine belongs to the unit that its first process is in: the service of `dormoused`. machined drops it with that unit at the
/// latest; what stays of a daemon that was killed and started again, its successor takes away.
final class Machines {
  struct Machine {
    var name: String
    var id: MachineID?
    /// The host's number of the guest's PID 1.
    var leader: Int32
    /// The path of its root.
    var root: String
    /// The indexes of the host's ends of its network.
    var interfaces: [Int32] = []
  }

  private let loop: EventLoop
  // Only while there are machines.
  private var bus: SystemBus?
  /// Those that are registered, or on their way to be, by name.
  private var machines: [String: Machine] = [:]
  private var isRegistering = false
  /// What waits to be tried again.
  private var retries: [String: EventSource] = [:]

  /// For how long a name is waited for that an earlier run still has: machined lets go of a machine some time after it is told to.
  private static let patience = 20
  private static let pause = Duration.milliseconds(100)

  init(_ loop: EventLoop) { self.loop = loop }

  /// Registers a guest that runs; `failed` is called with the reason when machined is there and does not want it.
  func register(_ machine: Machine, failed: @escaping (String) -> Void) {
    machines[machine.name] = machine
    register(machine, attempt: 1, failed)
  }

  /// Takes over a guest that an earlier daemon registered.
  func adopt(_ name: String, leader: Int32) {
    machines[name] = Machine(name: name, leader: leader, root: "")
  }

  /// Takes away what a daemon that was killed has left of a guest that does not run.
  func forget(_ name: String) {
    guard isMachineKnown(name) else { return }
    removeStale(name) { [unowned self] in
      if machines.isEmpty { bus = nil }
    }
  }

  /// Forgets a guest that is gone; one that is not registered is no error.
  func unregister(_ name: String) {
    retries.removeValue(forKey: name)?.cancel()
    guard machines.removeValue(forKey: name) != nil else { return }
    call("UnregisterMachine", [.string(name)]) { [unowned self] _ in
      if machines.isEmpty { bus = nil }
    }
  }

  /// One after the other, because only what is registered can be seen. systemd 253 to 257 keep one machine for a unit, refuse a
  /// second one, and then stop that unit: all the guests of this daemon. So no second one is asked for where a first one is kept.
  private func register(_ machine: Machine, attempt: Int, _ failed: @escaping (String) -> Void) {
    if isRegistering { return again(machine, attempt, failed) }
    let owner = machineKept(forUnitOf: machine.leader)
    if let owner, owner != machine.name {
      if machines[owner] != nil || attempt >= Self.patience { return failed(Self.oneOnly) }
      return removeStale(owner) { [unowned self] in again(machine, attempt + 1, failed) }
    }
    let arguments: [SystemBus.Value] = [
      .string(machine.name), .bytes(machine.id?.bytes ?? []), .string("dormouse"), .string("container"),
      .unsigned(UInt32(machine.leader)), .string(machine.root), .integers(machine.interfaces),
    ]
    isRegistering = true
    let isSent = call("RegisterMachineWithNetwork", arguments) { [unowned self] result in
      isRegistering = false
      // It may have ended meanwhile, and started again.
      guard case .failure(let error) = result, machines[machine.name]?.leader == machine.leader else { return }
      if error.name == "org.freedesktop.machine1.MachineExists", attempt < Self.patience {
        return removeStale(machine.name) { [unowned self] in again(machine, attempt + 1, failed) }
      }
      if !Self.meansNobody.contains(where: error.name.hasPrefix) { failed(error.description) }
    }
    if !isSent { isRegistering = false }
  }

  /// A name that is taken is either on its way to be free, or was left by a daemon that was killed: then its first process is gone.
  private func removeStale(_ name: String, then next: @escaping () -> Void) {
    call("GetMachine", [.string(name)]) { [unowned self] result in
      guard case .success(let path) = result else { return next() }
      let machine = SystemBus.Object(
        service: Self.manager.service, path: path, interface: "org.freedesktop.DBus.Properties")
      call("Get", [.string("org.freedesktop.machine1.Machine"), .string("Leader")], of: machine) {
        [unowned self] result in
        guard case .success(let text) = result, let leader = Int32(text), kill(leader, 0) == -1, errno == ESRCH else {
          return next()
        }
        // The connection has to be there until this is answered: machined asks the bus who it was.
        call("UnregisterMachine", [.string(name)]) { _ in next() }
      }
    }
  }

  private func again(_ machine: Machine, _ attempt: Int, _ failed: @escaping (String) -> Void) {
    guard machines[machine.name]?.leader == machine.leader else { return }
    retries[machine.name] = try? loop.after(Self.pause) { [unowned self] in
      retries[machine.name] = nil
      register(machine, attempt: attempt, failed)
    }
  }

  private static let manager = SystemBus.Object(
    service: "org.freedesktop.machine1", path: "/org/freedesktop/machine1",
    interface: "org.freedesktop.machine1.Manager")

  private static let oneOnly =
    "this systemd-machined keeps one machine for each unit, and another guest of this one is there already "
    + "(dormouse@.service gives each guest a unit of its own)"

  /// That nobody answers by this name, and nobody can be started who does.
  private static let meansNobody = [
    "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner",
    "org.freedesktop.DBus.Error.Spawn.", "org.freedesktop.systemd1.", "org.freedesktop.DBus.Error.Disconnected",
  ]

  /// What cannot be sent is not sent: nobody waits for it.
  ///
  /// - Returns: whether it is on its way, and an answer or its lack will be told.
  @discardableResult
  private func call(
    _ method: String, _ arguments: [SystemBus.Value], of object: SystemBus.Object = manager,
    answer: @escaping (Result<String, SystemBus.CallError>) -> Void
  ) -> Bool {
    do {
      let bus = try bus ?? SystemBus(loop)
      self.bus = bus
      try bus.call(object, method, arguments, answer: answer)
      return true
    } catch {
      // A connection that was lost is made anew for the next one.
      bus = nil
      isRegistering = false
      return false
    }
  }
}
