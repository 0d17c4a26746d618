/// Lets an interface of this network namespace send and receive packets of 127.0.0.0/8 (route_localnet of the kernel's ip-sysctl).
///
/// - Throws: `SystemError`; `EROFS` where /proc/sys is read-only.
public func allowLoopbackAddresses(on interface: String) throws(SystemError) {
  try writeSetting("/proc/sys/net/ipv4/conf/\(interface)/route_localnet", "1")
}
