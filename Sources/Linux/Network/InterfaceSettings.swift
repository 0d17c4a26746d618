import Glibc

/// Lets an interface of this network namespace send and receive packets of 127.0.0.0/8 (route_localnet of the kernel's ip-sysctl).
///
/// - Throws: `SystemError`; `EROFS` where /proc/sys is read-only.
public func allowLoopbackAddresses(on interface: String) throws(SystemError) {
  try writeSetting("/proc/sys/net/ipv4/conf/\(interface)/route_localnet", "1")
}

/// Makes the host ignore IPv6 router advertisements that come in by an interface (accept_ra of the kernel's ip-sysctl). Otherwise whoever is
/// at its other end could give the host addresses and a default route. Does nothing where there is no IPv6.
///
/// - Throws: `SystemError`; `EROFS` where /proc/sys is read-only.
public func ignoreRouters(on interface: String) throws(SystemError) {
  do throws(SystemError) {
    try writeSetting("/proc/sys/net/ipv6/conf/\(interface)/accept_ra", "0")
  } catch {
    if error.errno != ENOENT { throw error }
  }
}
