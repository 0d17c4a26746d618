import ControlProtocol
import Linux

// What comes in by the control socket.
extension Manager {
  /// Carries a call out; nil when its reply comes later, by `ControlServer.answer`.
  func handle(_ call: Call, _ pending: ControlServer.PendingCall) -> Reply? {
    switch call {
    case .list:
      return .list(supervisors.values.map(\.summary).sorted { $0.name < $1.name })
    case .status(let name, let console):
      guard let supervisor = supervisors[name] else { return unknown(name) }
      return .status(supervisor.status(console: console))
    case .why(let name):
      guard let supervisor = supervisors[name] else { return unknown(name) }
      return .why(supervisor.explanation)
    case .wake(let name):
      guard let supervisor = supervisors[name] else { return unknown(name) }
      supervisor.wake { [unowned self] reply in answer(pending, reply) }
      return nil
    case .sleep(let name, let now):
      guard let supervisor = supervisors[name] else { return unknown(name) }
      supervisor.sleep(now: now) { [unowned self] reply in answer(pending, reply) }
      return nil
    case .freeze(let name, let now):
      guard let supervisor = supervisors[name] else { return unknown(name) }
      supervisor.freeze(now: now) { [unowned self] reply in answer(pending, reply) }
      return nil
    case .thaw(let name):
      guard let supervisor = supervisors[name] else { return unknown(name) }
      supervisor.thaw()
      return .done
    case .attach(let name, let terminal, let size):
      guard let supervisor = supervisors[name] else { return unknown(name) }
      return supervisor.admit(to: terminal, size.map { WindowSize(rows: $0.rows, columns: $0.columns) })
    case .resize(let name, let terminal, let size):
      guard let supervisor = supervisors[name] else { return unknown(name) }
      return supervisor.resize(terminal, to: WindowSize(rows: size.rows, columns: size.columns))
    }
  }

  /// Gives the connection of a call that was answered by `.attached` to the guest.
  func attach(_ call: Call, _ socket: consuming OwnedFD) {
    guard case .attach(let name, let terminal, _) = call else { return }
    supervisors[name]?.attach(socket, to: terminal)
  }

  private func unknown(_ name: String) -> Reply { .failure(.noSuchGuest(name: name)) }

  private func answer(_ pending: ControlServer.PendingCall, _ reply: Reply) { control?.answer(pending, reply) }
}
