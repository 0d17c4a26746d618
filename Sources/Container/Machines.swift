import Glibc
import GuestSpec
import Systemd

/// Registers guests with systemd-machined, so that `machinectl`, `systemctl -M` and the like find them. Guests run without machined too.
///
/// A machine belongs to the unit that its PID 1 is in when it is registered, which is the scope of the instance. PID 1 must be in the
/// scope's own cgroup at that moment. If it is in a cgroup further below, machined 262 takes the caller for the machine's supervisor, and
/// sends it SIGTERM when PID 1 has ended.
final class Machines {
  struct Machine {
    var name: String
    var id: MachineID?
    /// The PID of the guest's PID 1 on the host, and the number of its pidfd, which the caller keeps open until `unregister`.
    var leader: Int32
    var pidfd: Int32
    /// The path of its root.
    var root: String
    /// The indexes of the host's ends of its network.
    var interfaces: [Int32] = []
  }

  /// A machine that is registered or being registered.
  private final class Registration {
    let machine: Machine
    /// Nil once it has been called, or when nobody waits for the answer.
    var done: ((String?) -> Void)?
    var retry: Retry?

    init(_ machine: Machine, _ done: ((String?) -> Void)?) {
      self.machine = machine
      self.done = done
    }

    func settle(_ failure: String?) {
      done?(failure)
      done = nil
      retry = nil
    }
  }

  private let loop: EventLoop
  private let bus: HostBus
  private var registrations: [String: Registration] = [:]
  /// Whether machined takes a machine's leader by its pidfd (systemd 258 and later).
  private var takesPidfds = true

  /// The time between attempts to register. The machine of an earlier instance exists until machined has noticed its end.
  private static let pause = Duration.milliseconds(20)
  /// The timeout of a call. A machined that hangs for longer will not answer.
  private static let patience = Duration.seconds(600)

  init(_ loop: EventLoop, _ bus: HostBus) {
    self.loop = loop
    self.bus = bus
  }

  /// Registers a guest whose PID 1 lies in the cgroup of its scope. Calls `done` with the reason if machined refuses, and with nil if it is
  /// registered or there is no machined.
  func register(_ machine: Machine, done: @escaping (String?) -> Void) {
    let registration = Registration(machine, done)
    registrations[machine.name] = registration
    send(registration)
  }

  /// Ends the wait for the answer, so that no further attempt follows: PID 1 leaves the scope's own cgroup now.
  func stopWaiting(for name: String) { registrations[name]?.done = nil }

  /// Keeps a guest that an earlier daemon registered, so that it is unregistered at its end.
  func adopt(_ name: String, leader: Int32) {
    registrations[name] = Registration(Machine(name: name, leader: leader, pidfd: -1, root: ""), nil)
  }

  /// Unregisters a guest that has ended, so that its name is free at once. Does nothing for one that is not registered.
  func unregister(_ name: String) {
    guard registrations.removeValue(forKey: name) != nil else { return }
    call("UnregisterMachine", [.string(name)]) { _ in }
  }

  private func send(_ registration: Registration) {
    let machine = registration.machine
    let id = BusValue.bytes(machine.id?.bytes ?? [])
    if takesPidfds {
      let properties: [(name: String, value: BusValue)] = [
        ("Id", id), ("Service", .string("dormouse")), ("Class", .string("container")),
        ("LeaderPIDFD", .descriptor(machine.pidfd)), ("RootDirectory", .string(machine.root)),
        ("NetworkInterfaces", .integers(machine.interfaces)),
      ]
      call("RegisterMachineEx", [.string(machine.name), .properties(properties)]) { [unowned self] in
        answered($0, registration)
      }
    } else {
      call(
        "RegisterMachineWithNetwork",
        [
          .string(machine.name), id, .string("dormouse"), .string("container"),
          .unsigned(UInt32(clamping: machine.leader)), .string(machine.root), .integers(machine.interfaces),
        ]
      ) { [unowned self] in answered($0, registration) }
    }
  }

  private func answered(_ answer: Result<String, SystemBus.CallError>, _ registration: Registration) {
    let name = registration.machine.name
    // The guest has ended meanwhile.
    guard registrations[name] === registration else { return }
    switch answer {
    case .success:
      // PID 1 may have left the scope's own cgroup before machined looked. machined would take this daemon for the supervisor, so the
      // machine is unregistered.
      if registration.done == nil, takesPidfds { unregister(name) }
      registration.settle(nil)
    case .failure(let error) where error.name == "org.freedesktop.DBus.Error.UnknownMethod" && takesPidfds:
      takesPidfds = false
      if registration.done != nil { send(registration) }
    case .failure(let error) where error.name == "org.freedesktop.machine1.MachineExists" && registration.done != nil:
      retry(registration, because: error.description)
    case .failure(let error):
      registrations[name] = nil
      registration.settle(Self.meansNoMachined.contains(where: error.name.hasPrefix) ? nil : error.description)
    }
  }

  /// Registers again if the machine of that name has ended. A running machine of that name belongs to another program.
  private func retry(_ registration: Registration, because reason: String) {
    call("GetMachine", [.string(registration.machine.name)]) { [unowned self] result in
      guard case .success(let path) = result else { return sendLater(registration) }
      let machine = SystemBus.Object(
        service: Self.manager.service, path: path, interface: "org.freedesktop.DBus.Properties")
      call("Get", [.string("org.freedesktop.machine1.Machine"), .string("Leader")], of: machine) {
        [unowned self] result in
        if case .success(let text) = result, let leader = Int32(text), kill(leader, 0) == 0 {
          return registration.settle(reason)
        }
        call("UnregisterMachine", [.string(registration.machine.name)]) { [unowned self] _ in sendLater(registration) }
      }
    }
  }

  private func sendLater(_ registration: Registration) {
    let retry = Retry(loop, after: Self.pause, accuracy: .milliseconds(1))
    registration.retry = retry
    do {
      try retry.schedule { [unowned self] in
        // When nobody waits any more, PID 1 has left the scope's own cgroup, and must not be registered.
        if registration.done != nil { send(registration) }
      }
    } catch {
      registration.settle("\(error)")
    }
  }

  private static let manager = SystemBus.Object(
    service: "org.freedesktop.machine1", path: "/org/freedesktop/machine1",
    interface: "org.freedesktop.machine1.Manager")

  /// The errors, or their beginnings, that say that there is no machined and that none can be started.
  private static let meansNoMachined = [
    "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner",
    "org.freedesktop.DBus.Error.Spawn.", "org.freedesktop.systemd1.", "org.freedesktop.DBus.Error.Disconnected",
  ]

  /// Calls a method. If the call cannot be sent, no answer comes: callers that wait have deadlines of their own.
  private func call(
    _ method: String, _ arguments: [BusValue], of object: SystemBus.Object = manager,
    answer: @escaping (Result<String, SystemBus.CallError>) -> Void
  ) {
    bus.use { bus in try? bus.call(object, method, arguments, timeout: Self.patience, answer: answer) }
  }
}
