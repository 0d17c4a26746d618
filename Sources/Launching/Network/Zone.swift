import Glibc
import Linux

/// The bridge of a network zone. It exists while one guest of the zone runs, of Dormouse or of systemd-nspawn.
struct Zone {
  let bridge: String
  let netlink: RouteNetlink

  /// Runs `body` with the bridge, and makes the bridge first if it is missing.
  ///
  /// - Throws: `SystemError` of the bridge, or what `body` throws.
  func join(_ body: (Link) throws(SystemError) -> Void) throws(SystemError) {
    let lock = try Self.lock()
    do throws(SystemError) {
      if try existing() == nil { try netlink.makeBridge(bridge) }
      // Also on a bridge of systemd-nspawn's: the guest becomes a port of it.
      try ignoreRouters(on: bridge)
      try body(netlink.link(bridge))
    } catch {
      try? removeIfEmpty()
      throw error
    }
    _ = consume lock
  }

  /// Removes the bridge if it has no port.
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

  /// Keeps others from joining between the check of the bridge and its removal. systemd-nspawn has the same zones and takes the same lock.
  /// Its holders make a few requests to the kernel and release it, so waiting for it is short.
  private static func lock() throws(SystemError) -> OwnedFD {
    try makeDirectories("/run/systemd")
    return try lockFile("/run/systemd/nspawn-network-zone")
  }
}
