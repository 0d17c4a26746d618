import GuestSpec
import Linux
import UnitSyntax

/// `dormouse@NAME.socket` of this host: by it systemd holds the guest's sockets while the guest sleeps.
enum HostSocketUnitCheck: GuestCheck {
  static func problems(of subject: CheckedGuest) -> [Diagnostic] {
    let search = UnitSearch(tree: HostTree(), directories: subject.hostUnits)
    let name = "dormouse@\(subject.guest.name).socket"
    guard let (_, files) = search.unit(name) else { return [] }
    return differences(SocketUnit(name: name, files: files), subject)
  }

  /// Whether this host has such a unit for a guest.
  static func isThere(for guest: String, _ hostUnits: [String] = GuestUnits.directories) -> Bool {
    UnitSearch(tree: HostTree(), directories: hostUnits).unit("dormouse@\(guest).socket") != nil
  }

  private static func differences(_ unit: SocketUnit, _ subject: CheckedGuest) -> [Diagnostic] {
    let listeners = subject.loaded.listeners
    let foreign = unit.addresses.filter { address in !listeners.contains { $0.listen.isTaken(as: address.listen) } }
    let missing = listeners.filter { listener in !unit.addresses.contains { listener.listen.isTaken(as: $0.listen) } }
    return foreign.map { address in
      let near = missing.first { NearMiss.nearest(to: $0.listen, among: [unit]) != nil }
      let remedy =
        near.map { "write \(address.listen.asWritten) instead of \($0.listen.asWritten) in the guest file" }
        ?? "add it to [Socket] of the guest file"
      return Diagnostic(
        file: address.file, line: address.line, .error,
        "\(address.listen.asWritten): the guest file has no such address, so clients that systemd lets in here are never "
          + "served; \(remedy)")
    }
      + missing.map { listener in
        Diagnostic(
          file: listener.file, line: listener.line, .warning,
          "\(listener.listen.asWritten): \(unit.name) of this host does not hold this address, so no client wakes the guest "
            + "there; add it to the unit")
      }
  }
}

extension GuestFiles {
  /// Who may hold the addresses of a guest that cannot be bound, and what to do, as the end of a sentence. It is empty when this host has no
  /// such unit.
  package static func otherHolder(of guest: String) -> String {
    guard HostSocketUnitCheck.isThere(for: guest) else { return "" }
    let unit = "dormouse@\(guest).socket"
    return
      " (systemd may hold it by \(unit), and a guest is held either by that or by this daemon: `systemctl disable --now "
      + "\(unit)`, or start dormoused for the other guests by their names)"
  }
}
