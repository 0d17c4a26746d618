import ControlProtocol
import GuestSpec
import Listeners

/// What is known of an instance that does not serve everywhere: which units in it have failed, and why nobody has some of its sockets open.
///
/// The guest is asked when something is wrong, and when somebody asks about it.
final class Diagnosis {
  /// Of the last answer; nil until the guest has answered.
  private(set) var units: GuestUnits?
  /// By the address.
  private(set) var unserved: [String: Unserved] = [:]
  private var isAsked: Set<String> = []
  private let asker: (any Asker)?

  init(_ asker: (any Asker)?) { self.asker = asker }

  /// Asks the guest for its failed units.
  ///
  /// - Parameters:
  ///   - instance: nil when there is nobody to ask.
  ///   - done: called when it has answered, or will not answer; perhaps at once.
  func refresh(_ instance: (any Instance)?, _ done: @escaping () -> Void) {
    guard let asker, let instance else { return done() }
    asker.ask(instance.pid) { [weak self] units in
      if let units { self?.units = units }
      done()
    }
  }

  /// Finds out why nobody has some sockets open. Sockets about which the guest is being asked already are left out.
  ///
  /// - Parameters:
  ///   - listeners: the sockets.
  ///   - instance: nil when its init is not systemd.
  ///   - predicted: which units were to take the sockets, by the files in the guest's root; nil when its init is not systemd.
  ///   - found: called for each, when the guest has answered, or will not answer; perhaps at once.
  func explain(
    _ listeners: [Listener], of instance: (any Instance)?, predicted: SocketAgreement?,
    _ found: @escaping (Listener, Unserved) -> Void
  ) {
    let new = listeners.filter { isAsked.insert($0.address).inserted }
    let wereTaken = new.map { $0.isAdopted == true }
    if new.isEmpty { return }
    refresh(instance) { [weak self] in
      guard let self else { return }
      for (listener, wasTaken) in zip(new, wereTaken) {
        isAsked.remove(listener.address)
        let claim = predicted?.claims.first { $0.listener.listen == listener.listen }
        let why = Unserved(listener.listen, claim, units, wasTaken: wasTaken)
        unserved[listener.address] = why
        found(listener, why)
      }
    }
  }

  /// What a guest that runs, and is in order by its state, is not in order by; nil when there is nothing.
  var note: String? {
    if let unit = units?.failed.first(where: { !$0.unit.hasSuffix(".socket") }) ?? units?.failed.first {
      return "\(unit)"
    }
    return unserved.min { $0.key < $1.key }.map { "nobody serves at \($0.key): \($0.value)" }
  }
}

extension UnservedSocket {
  /// The same as the interface has it.
  init(_ unserved: Unserved) {
    self.init(reason: UnservedReason(rawValue: unserved.word), text: "\(unserved)")
    unit = unserved.unit
    result = unserved.result
  }
}
