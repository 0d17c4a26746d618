import CLinux
import Glibc

/// The address that a socket is bound or connected to. `0.0.0.0:80` and `[::]:80` are not equal.
public enum SocketAddress: Hashable, Sendable {
  case ipv4(IPv4Address, port: UInt16)
  /// `scope` is the index of an interface, 0 for none. The kernel uses it for link-local addresses only.
  case ipv6(IPv6Address, port: UInt16, scope: UInt32)
  /// AF_UNIX in the file system.
  case path(String)
  /// An abstract AF_UNIX name, without its leading NUL.
  case abstract(String)
  /// AF_UNIX without a name, as most clients are.
  case unnamed

  /// The port of an IPv4 or IPv6 address.
  public var port: UInt16? {
    switch self {
    case .ipv4(_, let port), .ipv6(_, let port, _): port
    case .path, .abstract, .unnamed: nil
    }
  }

  var family: Int32 {
    switch self {
    case .ipv4: AF_INET
    case .ipv6: AF_INET6
    case .path, .abstract, .unnamed: AF_UNIX
    }
  }
}

extension SocketAddress: CustomStringConvertible {
  /// The text that systemd uses: `0.0.0.0:80`, `[fe80::1]:80%eth0`, `/run/x.sock`, `@name`. Control characters are escaped, because a
  /// client chooses its name and could otherwise control a terminal.
  public var description: String {
    switch self {
    case .ipv4(let address, let port): "\(address):\(port)"
    case .ipv6(let address, let port, 0): "[\(address)]:\(port)"
    case .ipv6(let address, let port, let scope): "[\(address)]:\(port)%\(interfaceName(index: scope))"
    case .path(let path): Self.printable(path)
    case .abstract(let name): "@" + Self.printable(name)
    case .unnamed: "unnamed"
    }
  }

  private static func printable(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      if scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) {
        result += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

/// Finds the index of the interface `name` in the calling thread's network namespace. A name that is a number is the index.
///
/// - Throws: `SystemError` of if_nametoindex(3): `ENODEV` when there is no such interface.
public func interfaceIndex(named name: String) throws(SystemError) -> UInt32 {
  if let number = UInt32(name), number > 0 { return number }
  let index = if_nametoindex(name)
  guard index != 0 else { throw SystemError("interface \(name)", errno: errno) }
  return index
}

private func interfaceName(index: UInt32) -> String {
  var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
  guard if_indextoname(index, &name) != nil else { return "\(index)" }
  return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
