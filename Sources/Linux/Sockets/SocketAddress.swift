import CLinux
import Glibc

/// Where a socket is bound or connected. Two are equal when they mean the same place; `0.0.0.0:80` and `[::]:80` do not.
public enum SocketAddress: Hashable, Sendable {
  case ipv4(IPv4Address, port: UInt16)
  /// `scope` is the index of an interface, 0 for none; the kernel heeds it with link-local addresses only.
  case ipv6(IPv6Address, port: UInt16, scope: UInt32)
  /// AF_UNIX in the file system.
  case path(String)
  /// AF_UNIX, abstract: the name without the NUL it begins with.
  case abstract(String)
  /// AF_UNIX without a name, as clients mostly are.
  case unnamed

  /// The port, in IPv4 and IPv6.
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
  /// As systemd writes addresses: `0.0.0.0:80`, `[fe80::1]:80%eth0`, `/run/x.sock`, `@name`. Bytes that would disturb
  /// a terminal or a log are escaped, because a name may be a stranger's choice.
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

/// The index of the interface `name`, which may be a number already, in the calling thread's network namespace.
///
/// - Throws: `SystemError` of if_nametoindex(3): `ENODEV` when there is none of that name.
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
