import Glibc
import Systemd

/// Registers guests with systemd-machined, so that `machinectl`, `systemctl -M` and the like find them. Without machined or a bus, guests
/// run all the same.
///
/// A machine belongs to the unit that its PID 1 is in, which is the service of dormoused. machined removes it with that unit at the latest.
/// What a killed daemon registered is removed by the next daemon.
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
  /// Connected only while there are machines.
  private var bus: SystemBus?
  /// Those that are registered or being registered, by name.
  private var machines: [String: Machine] = [:]
  private var isRegistering = false
  /// The next attempts to register, by name.
  private var retries: [String: Retry] = [:]

  /// How many attempts a registration gets. A name that an earlier instance had may still be taken, because machined removes a machine
  /// some time after it is asked to.
  private static let attempts = 20
  private static let pause = Duration.milliseconds(100)

  init(_ loop: EventLoop) { self.loop = loop }

  /// Registers a guest that runs. Calls `failed` with the reason when machined refuses it, and not when there is no machined.
  func register(_ machine: Machine, failed: @escaping (String) -> Void) {
    machines[machine.name] = machine
    register(machine, attempt: 1, failed)
  }

  /// Keeps a guest that an earlier daemon registered, so that it is unregistered at its end.
  func adopt(_ name: String, leader: Int32) {
    machines[name] = Machine(name: name, leader: leader, root: "")
  }

  /// Unregisters a guest that a killed daemon registered and that does not run any more.
  func forget(_ name: String) {
    guard isMachineKnown(name) else { return }
    removeStale(name) { [unowned self] in
      if machines.isEmpty { bus = nil }
    }
  }

  /// Unregisters a guest that has ended. Does nothing for one that is not registered.
  func unregister(_ name: String) {
    retries.removeValue(forKey: name)?.cancel()
    guard machines.removeValue(forKey: name) != nil else { return }
    call("UnregisterMachine", [.string(name)]) { [unowned self] _ in
      if machines.isEmpty { bus = nil }
    }
  }

  /// One registration at a time. systemd 253 to 257 keep one machine for each unit. They refuse a second one and then stop the unit, with
  /// all guests of this daemon in it. So a second machine is never requested while the unit has one, which shows only when it is registered.
  private func register(_ machine: Machine, attempt: Int, _ failed: @escaping (String) -> Void) {
    if isRegistering { return retry(machine, attempt, failed) }
    let owner = machineKept(forUnitOf: machine.leader)
    if let owner, owner != machine.name {
      if machines[owner] != nil || attempt >= Self.attempts { return failed(Self.oneOnly) }
      return removeStale(owner) { [unowned self] in retry(machine, attempt + 1, failed) }
    }
    let arguments: [SystemBus.Value] = [
      .string(machine.name), .bytes(machine.id?.bytes ?? []), .string("dormouse"), .string("container"),
      .unsigned(UInt32(clamping: machine.leader)), .string(machine.root), .integers(machine.interfaces),
    ]
    isRegistering = true
    let isSent = call("RegisterMachineWithNetwork", arguments) { [unowned self] result in
      isRegistering = false
      // It may have ended meanwhile, and started again.
      guard case .failure(let error) = result, machines[machine.name]?.leader == machine.leader else { return }
      if error.name == "org.freedesktop.machine1.MachineExists", attempt < Self.attempts {
        return removeStale(machine.name) { [unowned self] in retry(machine, attempt + 1, failed) }
      }
      if !Self.meansNoMachined.contains(where: error.name.hasPrefix) { failed(error.description) }
    }
    if !isSent { isRegistering = false }
  }

  /// Unregisters a machine whose PID 1 has ended, as a killed daemon leaves it; then calls `next`. Any other machine stays: machined removes
  /// it soon, or it is somebody else's.
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
        // The connection must last until this is answered: machined asks the bus who the caller was.
        call("UnregisterMachine", [.string(name)]) { _ in next() }
      }
    }
  }

  private func retry(_ machine: Machine, _ attempt: Int, _ failed: @escaping (String) -> Void) {
    guard machines[machine.name]?.leader == machine.leader else { return }
    let retry = Retry(loop, after: Self.pause, accuracy: .milliseconds(1))
    retries[machine.name] = retry
    // Without memory for a timer the guest stays unregistered.
    try? retry.schedule { [unowned self] in
      retries[machine.name] = nil
      register(machine, attempt: attempt, failed)
    }
  }

  private static let manager = SystemBus.Object(
    service: "org.freedesktop.machine1", path: "/org/freedesktop/machine1",
    interface: "org.freedesktop.machine1.Manager")

  private static let oneOnly =
    "this version of systemd-machined keeps one machine for each unit, and another guest is registered already "
    + "(with dormouse@.service each guest has a unit of its own)"

  /// The errors, or their beginnings, that say that there is no machined and that none can be started.
  private static let meansNoMachined = [
    "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner",
    "org.freedesktop.DBus.Error.Spawn.", "org.freedesktop.systemd1.", "org.freedesktop.DBus.Error.Disconnected",
  ]

  /// Calls a method. A call that cannot be sent is dropped: no guest waits for it.
  ///
  /// - Returns: whether it was sent; `answer` is called later then, also when no answer comes.
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
      // The next call connects anew.
      bus = nil
      isRegistering = false
      return false
    }
  }
}
