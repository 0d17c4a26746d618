/// Lets packets of 127.0.0.0/8 out of and in by an interface of this network namespace (route_localnet of ip-sysctl).
///
/// - Throws: `SystemError`; `EROFS` where /proc/sys is read-only.
public func allowLoopbackAddresses(on interface: String) throws(SystemError) {
  try writeSetting("/proc/sys/net/ipv4/conf/\(interface)/route_localnet", "1")
}
