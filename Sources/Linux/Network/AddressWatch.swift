import CLinux
import Glibc

/// Lists the IP addresses of a network namespace, and reports when they change.
///
/// Its descriptors keep the network namespace alive.
public final class AddressWatch {
  private let namespace: OwnedFD
  private let changes: NetworkChanges

  /// Readable when the addresses may have changed: call `drain`, then `addresses`.
  public var descriptor: OwnedFD { _read { yield changes.descriptor } }

  /// - Throws: `SystemError` of setns(2), socket(2) or bind(2).
  public init(in namespace: borrowing OwnedFD) throws(SystemError) {
    self.namespace = try namespace.duplicate()
    changes = try NetworkChanges(ofAddressesIn: namespace)
  }

  /// Discards the queued messages, as `NetworkChanges.drain`: `addresses` lists all addresses anyway.
  public func drain() { changes.drain() }

  /// Lists the addresses by which others reach the namespace: those of global scope that are in use. They are sorted by the number of
  /// their interface, then in the kernel's order. Whoever has CAP_NET_ADMIN there can add any number, so only the first 512 or so that
  /// the kernel reports are listed.
  ///
  /// - Throws: `SystemError` of the request.
  public func addresses() throws(SystemError) -> [InterfaceAddress] {
    // ip address show scope global
    let request = NetlinkRequest(RTM_GETADDR, flags: NLM_F_DUMP, ifaddrmsg())
    let netlink = try NetlinkSocket(.route, in: namespace)
    let found = try netlink.last(request, "listing the addresses", limit: Self.most) { InterfaceAddress(message: $0) }
    return found.filter(\.isReachable).enumerated()
      .sorted { ($0.element.interface, $0.offset) < ($1.element.interface, $1.offset) }.map(\.element)
  }

  private static let most = 512
}

/// Reports that addresses or routes of a network namespace may have changed, but not which. Its socket keeps the namespace alive.
public final class NetworkChanges {
  private let netlink: NetlinkSocket

  /// Readable when something may have changed: call `drain`.
  public var descriptor: OwnedFD { _read { yield netlink.descriptor } }

  /// Reports changes of the IPv4 and IPv6 addresses.
  ///
  /// - Throws: `SystemError` of setns(2), socket(2) or bind(2).
  public init(ofAddressesIn namespace: borrowing OwnedFD) throws(SystemError) {
    netlink = try NetlinkSocket(.route, in: namespace, bufferBytes: NetlinkSocket.multicastBytes)
    // ip monitor address
    try netlink.subscribe(to: UInt32(RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR))
  }

  /// Reports changes of the IPv4 and IPv6 routes in the calling thread's network namespace.
  ///
  /// - Throws: `SystemError` of socket(2) or bind(2).
  public init(ofRoutes: Void) throws(SystemError) {
    netlink = try NetlinkSocket(.route, bufferBytes: NetlinkSocket.multicastBytes)
    // ip monitor route
    try netlink.subscribe(to: UInt32(RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE))
  }

  /// Discards the queued messages. It never blocks. It stops after 4096 messages although more are queued; `descriptor` stays readable.
  public func drain() {
    for _ in 0..<Self.mostMessages {
      do throws(SystemError) {
        try netlink.receive("recv NETLINK_ROUTE") { _ in }
      } catch {
        // The kernel dropped messages. Which ones does not matter.
        if error.errno != ENOBUFS { return }
      }
    }
  }

  private static let mostMessages = 4096
}

/// An address of an interface.
public struct InterfaceAddress: Equatable, Sendable {
  /// The number of the interface.
  public var interface: Int32
  /// The interface's own address, not that of a peer.
  public var address: IPAddress
  /// Whether others can reach the namespace by it: it has global scope, is not deprecated, and is neither a duplicate nor still being
  /// probed for duplicates.
  public var isReachable: Bool
}

extension InterfaceAddress {
  /// Reads what follows the header of an RTM_NEWADDR; nil when it is too short, or of another family than IPv4 and IPv6.
  package init?(message payload: UnsafeRawBufferPointer) {
    guard payload.count >= MemoryLayout<ifaddrmsg>.size else { return nil }
    let fixed = payload.loadUnaligned(as: ifaddrmsg.self)
    var own: [UInt8]?
    var flags = UInt32(fixed.ifa_flags)
    forEachAttribute(in: payload, after: MemoryLayout<ifaddrmsg>.size) { type, content in
      switch Int(type) {
      // On a point-to-point link IFA_ADDRESS is the other end's and IFA_LOCAL this end's. IPv6 mostly has IFA_ADDRESS alone.
      case IFA_LOCAL: own = Array(content)
      case IFA_ADDRESS: own = own ?? Array(content)
      case IFA_FLAGS where content.count >= 4: flags = content.loadUnaligned(as: UInt32.self)
      default: break
      }
    }
    guard let own, let address = IPAddress(family: Int32(fixed.ifa_family), own) else { return nil }
    let unusable = UInt32(IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED)
    self.init(
      interface: Int32(bitPattern: fixed.ifa_index), address: address,
      isReachable: Int(fixed.ifa_scope) < Int(RT_SCOPE_LINK.rawValue) && flags & unusable == 0)
  }
}
