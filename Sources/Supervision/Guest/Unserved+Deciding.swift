import ControlProtocol
import GuestSpec

extension Unserved {
  /// Decides why no process of the guest has a socket open.
  ///
  /// The answer of the guest's systemd comes first, then whether a process of the guest was seen to have the socket, then the unit files in
  /// its root.
  ///
  /// - Parameters:
  ///   - listen: the socket.
  ///   - claim: which unit should have taken it, by the unit files; nil when the guest's init is not systemd, or nothing is known.
  ///   - units: the answer of the guest's systemd; nil when it did not answer.
  ///   - wasTaken: whether the guest was seen to have the socket open.
  init(_ listen: Listen, _ claim: SocketAgreement.Claim?, _ units: GuestUnits?, wasTaken: Bool) {
    if let units, let unit = units.sockets.first(where: { $0.has(listen) }) {
      self = Self.by(unit, units.failed)
    } else if wasTaken {
      self = .letGo(unit: claim?.unit)
    } else if let claim {
      // systemd has not loaded the unit that should have taken the socket, so it was not started.
      let isUnknown = claim.unit != nil && units != nil
      self = isUnknown ? .notStarted(unit: claim.unit ?? "", log: "") : claim.unserved ?? .letGo(unit: claim.unit)
    } else {
      self = units == nil ? .notTaken : .noUnit(listen, near: nil)
    }
  }

  private static func by(_ unit: SocketUnitStatus, _ failed: [FailedUnit]) -> Unserved {
    let cause = failed.first { $0.unit == unit.service }.map {
      (Cause(unit: $0.unit, result: $0.result, log: $0.log), isProgram: $0.status == cannotExecute)
    }
    if let cause, cause.isProgram { return .noProgram(unit: unit.unit, cause: cause.0) }
    if ["not-found", "masked", "bad-setting", "error"].contains(unit.serviceLoad) {
      return .noService(unit: unit.unit, service: unit.service)
    }
    switch unit.state {
    case "failed": return .unitFailed(unit: unit.unit, result: unit.result, cause: cause?.0)
    case "inactive": return .notStarted(unit: unit.unit, log: unit.log)
    default: return .letGo(unit: unit.unit)
    }
  }

  /// systemd.exec(5): EXIT_EXEC, the status of a child that could not execute the program.
  private static let cannotExecute: Int32 = 203
}

extension SocketUnitStatus {
  /// Whether the unit listens at the socket's address. systemd may write an interface after the port, which is not compared.
  fileprivate func has(_ listen: Listen) -> Bool {
    let own = "\(listen.kind) \(listen.address)"
    return self.listen.contains { Self.withoutScope($0) == Self.withoutScope(own) }
  }

  private static func withoutScope(_ text: String) -> Substring {
    // Only an IPv6 address has a scope: a path may contain a % too.
    text.contains(" [") ? text.prefix { $0 != "%" } : text[...]
  }
}
