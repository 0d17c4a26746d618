import ControlProtocol
import Linux

// Those who sit at the guest's terminals.
extension Supervisor {
  static let attended = "somebody is at one of its terminals"

  /// Whether somebody may come to a terminal, nil being the console: the reply that says so.
  func admit(to terminal: Int?, _ size: WindowSize?) -> Reply {
    do throws(ManagerError) {
      let console = try console(terminal)
      if !console.hasRoom { throw refusal("\(Console.clientLimit) are attached to it already") }
      if let size { try? console.resize(to: size) }
      return .attached
    } catch {
      return .failure(error)
    }
  }

  /// Takes the connection of somebody who was admitted. Should the guest have ended meanwhile the connection ends too, which tells it.
  func attach(_ socket: consuming OwnedFD, to terminal: Int?) {
    guard let console = try? console(terminal) else { return }
    try? console.attach(socket)
  }

  func resize(_ terminal: Int?, to size: WindowSize) -> Reply {
    do throws(ManagerError) {
      let console = try console(terminal)
      // A terminal that is gone has no size, and its end is told otherwise.
      try? console.resize(to: size)
      return .done
    } catch {
      return .failure(error)
    }
  }

  private func console(_ terminal: Int?) throws(ManagerError) -> Console {
    switch state {
    case .freezing, .frozen: throw refusal("it is frozen; `dormouse thaw \(name)` thaws it")
    case .unbound, .binding, .inactive, .launching, .failed:
      throw refusal("it does not run; `dormouse wake \(name)` starts it")
    case .activating, .active, .parting, .selfShutdown, .deactivating: break
    }
    guard let consoles = run?.consoles, !consoles.isEmpty else {
      throw refusal("its terminals went with the daemon that started it")
    }
    guard let terminal else { return consoles[0] }
    guard terminal > 0, terminal < consoles.count else {
      let there = consoles.count == 1 ? "none" : consoles.count == 2 ? "1" : "1 to \(consoles.count - 1)"
      throw refusal("there is no terminal \(terminal) besides the console but \(there); Terminals= makes more")
    }
    return consoles[terminal]
  }

  private func refusal(_ reason: String) -> ManagerError { .consoleFailed(name: name, reason: reason) }
}
