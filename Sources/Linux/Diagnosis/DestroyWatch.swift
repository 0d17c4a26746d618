import CLinux
import Glibc

/// The connections that ended since the last `drain`.
public enum DestroyedConnections: Equatable, Sendable {
  /// All of them, in the order in which they ended.
  case connections([TCPConnection])
  /// The kernel had to drop messages: list all connections again.
  case overflow
}

/// Reports when a TCP connection of this network namespace ends (SKNLGRP_INET_TCP_DESTROY and SKNLGRP_INET6_TCP_DESTROY).
///
/// The kernel reports a connection when the last process closes it. It does not when only the peer closes, nor for a connection in an
/// accept queue that becomes half closed. No privilege is needed. The watch belongs to the namespace in which it was made.
public final class DestroyWatch {
  private let netlink: NetlinkSocket

  /// Readable when there is something to `drain`. For the event loop.
  public var descriptor: OwnedFD { _read { yield netlink.descriptor } }

  /// Watches no port until `watch(ports:)` names some.
  ///
  /// - Throws: `SystemError` of socket(2) or bind(2).
  public init() throws(SystemError) {
    netlink = try NetlinkSocket(.sockDiag, bufferBytes: NetlinkSocket.multicastBytes)
    try Self.setFilter(netlink.descriptor, ports: [])
    // A busy guest ends thousands of connections while the daemon does something else. More than net.core.rmem_max needs CAP_NET_ADMIN;
    // without it an overflow is only more likely.
    _ = try? setOption(netlink.descriptor, SOL_SOCKET, SO_RCVBUFFORCE, Self.bufferBytes, named: "SO_RCVBUFFORCE")
    try netlink.subscribe(to: Self.group(SKNLGRP_INET_TCP_DESTROY) | Self.group(SKNLGRP_INET6_TCP_DESTROY))
  }

  /// Sets the local ports whose connections are reported from now on. The kernel filters, so that other traffic of a busy host does not
  /// wake this process.
  ///
  /// - Throws: `SystemError` of setsockopt(2).
  public func watch(ports: Set<UInt16>) throws(SystemError) {
    try Self.setFilter(netlink.descriptor, ports: ports)
  }

  /// Receives the queued messages; never blocks. It stops after a great many messages although more are queued; `descriptor` then stays
  /// readable.
  ///
  /// - Throws: `SystemError` of recv(2).
  public func drain() throws(SystemError) -> DestroyedConnections {
    var connections: [TCPConnection] = []
    var hasOverflowed = false
    for _ in 0..<Self.mostMessages {
      do throws(SystemError) {
        try netlink.receive("recv NETLINK_SOCK_DIAG") { decodeDestroyed($0, into: &connections) }
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
  /// A port takes two instructions, and a program has at most 4096 (BPF_MAXINSNS).
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

  /// A classic BPF program over a message. It loads the local port, which is four bytes behind the header, and accepts the message when
  /// the port is in `ports`.
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

/// Appends each connection in `bytes` to `connections`. A listener that was closed has no peer and is left out. No bytes make it trap.
package func decodeDestroyed(_ bytes: UnsafeRawBufferPointer, into connections: inout [TCPConnection]) {
  forEachMessage(in: bytes) { message in
    guard message.type == SOCK_DIAG_BY_FAMILY, let connection = TCPConnection(diagMessage: message.payload),
      connection.remote.port != 0
    else { return }
    connections.append(connection)
  }
}
