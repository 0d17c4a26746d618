import Glibc
import Linux

/// The bridge of a zone: there as long as one of its guests runs, whoever runs it.
struct Zone {
  let bridge: String
  let netlink: RouteNetlink

  /// Runs `body` with the bridge, which is made if need be.
  ///
  /// - Throws: `SystemError` of the bridge, or what `body` throws.
  func join(_ body: (Link) throws(SystemError) -> Void) throws(SystemError) {
    let lock = try Self.lock()
    do throws(SystemError) {
      if try existing() == nil { try netlink.makeBridge(bridge) }
      try body(netlink.link(bridge))
    } catch {
      try? removeIfEmpty()
      throw error
    }
    _ = consume lock
  }

  /// Takes the bridge away if it has no port.
  ///
  /// - Throws: `SystemError`.
  func leave() throws(SystemError) {
    let lock = try Self.lock()
    try removeIfEmpty()
    _ = consume lock
  }

  private func removeIfEmpty() throws(SystemError) {
    guard let link = try existing(), try netlink.links().allSatisfy({ $0.master != link.index }) else { return }
    try netlink.delete(link)
  }

  private func existing() throws(SystemError) -> Link? {
    do throws(SystemError) {
      return try netlink.link(bridge)
    } catch {
      if error.errno == ENODEV { return nil }
      throw error
    }
  }

  /// That nobody joins between a look at the bridge and its removal is everybody's agreement: systemd-nspawn has the same zones and
  /// takes this lock as well. Who has it makes a few requests to the kernel and lets go.
  private static func lock() throws(SystemError) -> OwnedFD {
    try makeDirectories("/run/systemd")
    return try lockFile("/run/systemd/nspawn-network-zone")
  }
}
