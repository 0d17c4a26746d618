import CLinux
import Glibc

/// What was told since the last look.
public enum DestroyedConnections: Equatable, Sendable {
  /// These went, in the order of their ends.
  case connections([TCPConnection])
  /// The kernel had to drop messages: look at everything again.
  case overflow
}

/// Hears when a TCP connection of this network namespace goes (SKNLGRP_INET_TCP_DESTROY and its IPv6 twin).
///
/// It is told when the last process closes it; not when only the peer closes, and not for a connection in a queue that
/// becomes half closed. Needs no privilege. Belongs to the namespace in which it was made.
public final class DestroyWatch {
  /// Readable when there is something to `drain`. For the event loop.
  public let descriptor: OwnedFD
  private var buffer = [UInt8](repeating: 0, count: 16 * 1024)

  /// Hears of no port until `watch(ports:)` names some.
  ///
  /// - Throws: `SystemError` of socket(2) or bind(2).
  public init() throws(SystemError) {
    let netlink = try openNetlink()
    let raw = netlink.raw
    try Self.setFilter(netlink, ports: [])
    // A busy guest ends thousands in the time that the daemon may be kept from listening. More than the machine's limit needs
    // CAP_NET_ADMIN; with less, more is an overflow.
    _ = try? setOption(netlink, SOL_SOCKET, SO_RCVBUFFORCE, Self.bufferBytes, named: "SO_RCVBUFFORCE")
    var address = sockaddr_nl()
    address.nl_family = sa_family_t(AF_NETLINK)
    address.nl_groups = Self.group(SKNLGRP_INET_TCP_DESTROY) | Self.group(SKNLGRP_INET6_TCP_DESTROY)
    try retrying("bind NETLINK_SOCK_DIAG") {
      withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(raw, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
        }
      }
    }
    descriptor = netlink
  }

  /// Says of which local ports to hear from now on. The kernel filters, so that what else happens on a busy host, or
  /// anything while no guest is awake, does not wake this process.
  ///
  /// - Throws: `SystemError` of setsockopt(2).
  public func watch(ports: Set<UInt16>) throws(SystemError) {
    try Self.setFilter(descriptor, ports: ports)
  }

  /// Takes what has been told; never blocks. After a great many messages it returns although there are more, and
  /// `descriptor` stays readable.
  ///
  /// - Throws: `SystemError` of recv(2).
  public func drain() throws(SystemError) -> DestroyedConnections {
    let raw = descriptor.raw
    var connections: [TCPConnection] = []
    var hasOverflowed = false
    for _ in 0..<Self.mostMessages {
      do throws(SystemError) {
        let count = try retrying("recv NETLINK_SOCK_DIAG") { recv(raw, &buffer, buffer.count, Int32(MSG_DONTWAIT)) }
        buffer.withUnsafeBytes {
          decodeDestroyed(UnsafeRawBufferPointer(rebasing: $0.prefix(count)), into: &connections)
        }
      } catch {
        if error.errno == EAGAIN { break }
        guard error.errno == ENOBUFS else { throw error }
        hasOverflowed = true
      }
    }
    return hasOverflowed ? .overflow : .connections(connections)
  }

  private static let mostMessages = 1024
  private static let bufferBytes: Int32 = 4 << 20
  /// Two instructions a port, 4096 in a program (BPF_MAXINSNS).
  private static let mostFilteredPorts = 2000

  private static func group(_ number: sknetlink_groups) -> UInt32 { 1 << (number.rawValue - 1) }

  private static func setFilter(_ fd: borrowing OwnedFD, ports: Set<UInt16>) throws(SystemError) {
    let raw = fd.raw
    var program = ports.count <= mostFilteredPorts ? filter(ports: ports) : [returning(everything)]
    try retrying("setsockopt SO_ATTACH_FILTER") {
      program.withUnsafeMutableBufferPointer { instructions in
        var code = sock_fprog(len: UInt16(instructions.count), filter: instructions.baseAddress)
        return setsockopt(raw, SOL_SOCKET, SO_ATTACH_FILTER, &code, socklen_t(MemoryLayout<sock_fprog>.size))
      }
    }
  }

  /// Classic BPF over a message: load the local port, which is four bytes into what follows the header; accept it when
  /// it is one of ours.
  private static func filter(ports: Set<UInt16>) -> [sock_filter] {
    let offset = MemoryLayout<nlmsghdr>.size + 4
    var program = [sock_filter(code: UInt16(BPF_LD | BPF_H | BPF_ABS), jt: 0, jf: 0, k: UInt32(offset))]
    for port in ports.sorted() {
      program.append(sock_filter(code: UInt16(BPF_JMP | BPF_JEQ | BPF_K), jt: 0, jf: 1, k: UInt32(port)))
      program.append(returning(everything))
    }
    return program + [returning(0)]
  }

  private static let everything = UInt32.max

  private static func returning(_ length: UInt32) -> sock_filter {
    sock_filter(code: UInt16(BPF_RET | BPF_K), jt: 0, jf: 0, k: length)
  }
}

/// Adds each connection in `bytes` to the end of `connections`; a listener that went, which has no other end, is left out. Whatever the
/// bytes are, it never traps.
public func decodeDestroyed(_ bytes: UnsafeRawBufferPointer, into connections: inout [TCPConnection]) {
  forEachMessage(in: bytes) { message in
    guard message.type == SOCK_DIAG_BY_FAMILY, let connection = TCPConnection(diagMessage: message.payload),
      connection.remote.port != 0
    else { return }
    connections.append(connection)
  }
}
