import ControlProtocol
import GuestSpec
import Listeners

/// Why an instance does not serve all of its sockets: which units in the guest have failed, and why no process has some of the sockets
/// open.
///
/// The guest's systemd is asked when a socket is not served, and when an administrator asks for the guest's status.
final class Diagnosis {
  /// The guest's last answer; nil until it has answered.
  private(set) var units: GuestUnits?
  /// Why the sockets are not served, by address.
  private(set) var unserved: [String: Unserved] = [:]
  private var isAsked: Set<String> = []
  private let asker: (any Asker)?
  private let listeners: GuestListeners
  /// On a busy host a guest may not answer in the time of one attempt.
  private static let attempts = 3

  init(_ asker: (any Asker)?, _ listeners: GuestListeners) {
    self.asker = asker
    self.listeners = listeners
  }

  /// Asks the guest for its failed units.
  ///
  /// - Parameters:
  ///   - instance: the instance; nil when no instance runs that could answer.
  ///   - attempts: how often to ask, until it answers.
  ///   - done: called when it has answered, or all attempts have failed; perhaps before this method returns.
  func refresh(_ instance: (any Instance)?, attempts: Int = 1, _ done: @escaping () -> Void) {
    guard let asker, let instance, attempts > 0 else { return done() }
    let addresses = listeners.all.map { "\($0.listen.kind) \($0.listen.address)" }
    asker.ask(instance.pid, about: addresses) { [weak self] units in
      guard let units else { return self?.refresh(instance, attempts: attempts - 1, done) ?? done() }
      self?.units = units
      done()
    }
  }

  /// Finds out why no process has some sockets open. Sockets about which the guest is being asked already are skipped.
  ///
  /// - Parameters:
  ///   - listeners: the sockets.
  ///   - instance: the instance; nil when its init is not systemd.
  ///   - predicted: which units should have the sockets, by the unit files in the guest's root; nil when its init is not systemd.
  ///   - found: called for each socket when the guest has answered, or all attempts have failed; perhaps before this method returns.
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

  /// The problem of a guest whose state shows none, as text for a person; nil when no problem is known.
  var note: String? {
    if let (address, why) = unserved.min(by: { $0.key < $1.key }) { return "nobody serves at \(address): \(why)" }
    let failed = units?.failed ?? []
    return (failed.first { !$0.unit.hasSuffix(".socket") } ?? failed.first).map { "\($0)" }
  }
}

extension UnservedSocket {
  /// Converts the reason to the form in which the control interface reports it.
  init(_ unserved: Unserved) {
    self.init(reason: UnservedReason(unserved), text: "\(unserved)")
    unit = unserved.unit
    result = unserved.result
  }
}

extension UnservedReason {
  /// Converts the reason to its name in the control interface and the log.
  init(_ unserved: Unserved) {
    self =
      switch unserved {
      case .noUnit(_, near: nil): .noUnit
      case .noUnit(_, near: .some(let miss)): miss.isOfFamily ? .wrongFamily : .nearMiss
      case .unitFailed: .unitFailed
      case .noProgram: .noProgram
      case .noService: .noService
      case .notStarted: .notStarted
      case .letGo: .letGo
      case .notTaken: .notTaken
      }
  }
}
