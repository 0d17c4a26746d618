import Glibc

/// Lets packets of 127.0.0.0/8 out of and in by an interface of this network namespace (route_localnet of ip-sysctl).
///
/// - Throws: `SystemError`; `EROFS` where /proc/sys is read-only.
public func allowLoopbackAddresses(on interface: String) throws(SystemError) {
  let path = "/proc/sys/net/ipv4/conf/\(interface)/route_localnet"
  let file = OwnedFD(owning: try retrying("open \(path)") { open(path, O_WRONLY | O_CLOEXEC) })
  let raw = file.raw
  try retrying("write \(path)") { write(raw, "1", 1) }
}
