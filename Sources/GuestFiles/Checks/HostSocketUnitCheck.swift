import GuestSpec
import Linux
import UnitSyntax

/// `dormouse@NAME.socket` of this host, by which systemd holds the guest's sockets while it sleeps.
enum HostSocketUnitCheck: GuestCheck {
  static func problems(of subject: CheckedGuest) -> [Diagnostic] {
    let search = UnitSearch(tree: HostTree(), directories: subject.hostUnits)
    let name = "dormouse@\(subject.guest.name).socket"
    guard let (_, files) = search.unit(name) else { return [] }
    return differences(SocketUnit(name: name, files: files), subject)
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
