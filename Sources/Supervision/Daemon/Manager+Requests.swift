import ControlProtocol
import Linux

// The calls of the control socket.
extension Manager {
  /// Carries out a call; nil if its reply comes later, by `ControlServer.answer`.
  func handle(_ call: Call, _ pending: ControlServer.PendingCall) -> Reply? {
    switch call {
    case .list:
      let others = broken.names.filter { supervisors[$0] == nil }.compactMap { broken.summary(of: $0) }
      return .list((supervisors.values.map(summary) + others).sorted { $0.name < $1.name })
    case .status(let name, let console):
      guard let supervisor = supervisors[name] else {
        return broken.status(of: name).map(Reply.status) ?? unknown(name)
      }
      supervisor.describe(console: console) { [unowned self] reply in answer(pending, reply) }
      return nil
    case .why(let name):
      guard let supervisor = supervisors[name] else {
        return broken.explanation(of: name).map(Reply.why) ?? unknown(name)
      }
      supervisor.explain { [unowned self] reply in answer(pending, reply) }
      return nil
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
    case .subscribeGuests(let name):
      return subscribe(pending, to: name)
    case .attach(let name, let terminal, let size):
      guard let supervisor = supervisors[name] else { return unknown(name) }
      return supervisor.admit(to: terminal, size.map { WindowSize(rows: $0.rows, columns: $0.columns) })
    case .resize(let name, let terminal, let size):
      guard let supervisor = supervisors[name] else { return unknown(name) }
      return supervisor.resize(terminal, to: WindowSize(rows: size.rows, columns: size.columns))
    case .reload:
      reload()
      return broken.errors.map { .failure(.reloadFailed(reason: $0)) } ?? .done
    }
  }

  /// Gives the guest the connection of a call to which `.attached` was the reply.
  func attach(_ call: Call, _ socket: consuming OwnedFD) {
    guard case .attach(let name, let terminal, _) = call else { return }
    supervisors[name]?.attach(socket, to: terminal)
  }

  /// Reports the guest's state to those who subscribed to it.
  func publish(_ supervisor: Supervisor) {
    // When the daemon ends its guests stop being managed, but are not removed.
    let isRemoved = supervisor.state.isUnbound && !isEnding
    control?.publish(supervisor.name, isRemoved ? nil : supervisor.state.word) { supervisor.summary }
  }

  private func subscribe(_ call: ControlServer.PendingCall, to name: String?) -> Reply? {
    if let name, supervisors[name] == nil { return unknown(name) }
    let guests = supervisors.values.filter { name == nil || $0.name == name }.sorted { $0.name < $1.name }
    return control?.subscribe(call, to: name, guests.map { ($0.summary, $0.state.word) })
  }

  private func unknown(_ name: String) -> Reply {
    .failure(broken.error(of: name).map { .badSetting(name: name, reason: $0) } ?? .noSuchGuest(name: name))
  }

  /// The summary of a guest, with a note if its new files have an error and its old ones stay in force.
  private func summary(of supervisor: Supervisor) -> GuestSummary {
    var summary = supervisor.summary
    if let error = broken.error(of: supervisor.name) { summary.note = "its old file stays in force: \(error)" }
    return summary
  }

  private func answer(_ pending: ControlServer.PendingCall, _ reply: Reply) { control?.answer(pending, reply) }
}
