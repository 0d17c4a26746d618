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
  private let listeners: GuestListeners
  /// On a busy host a guest may need more than one question's time.
  private static let attempts = 3

  init(_ asker: (any Asker)?, _ listeners: GuestListeners) {
    self.asker = asker
    self.listeners = listeners
  }

  /// Asks the guest for its failed units.
  ///
  /// - Parameters:
  ///   - instance: nil when there is nobody to ask.
  ///   - attempts: how often, until it answers.
  ///   - done: called when it has answered, or will not answer; perhaps at once.
  func refresh(_ instance: (any Instance)?, attempts: Int = 1, _ done: @escaping () -> Void) {
    guard let asker, let instance, attempts > 0 else { return done() }
    let addresses = listeners.all.map { "\($0.listen.kind) \($0.listen.address)" }
    asker.ask(instance.pid, about: addresses) { [weak self] units in
      guard let units else { return self?.refresh(instance, attempts: attempts - 1, done) ?? done() }
      self?.units = units
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
    refresh(instance, attempts: Self.attempts) { [weak self] in
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
    if let (address, why) = unserved.min(by: { $0.key < $1.key }) { return "nobody serves at \(address): \(why)" }
    let failed = units?.failed ?? []
    return (failed.first { !$0.unit.hasSuffix(".socket") } ?? failed.first).map { "\($0)" }
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
