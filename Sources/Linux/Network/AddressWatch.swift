import CLinux
import Glibc

/// Which addresses of the internet a network namespace has, and when that changes.
///
/// Belongs to the namespace in which it was made, and keeps that alive.
public final class AddressWatch {
  private let netlink: RouteNetlink
  /// Readable when something may have changed: call `drain`, then `addresses`.
  public let descriptor: OwnedFD
  private var buffer = [UInt8](repeating: 0, count: 16 * 1024)

  /// - Throws: `SystemError` of setns(2), socket(2) or bind(2).
  public init(in namespace: borrowing OwnedFD) throws(SystemError) {
    netlink = try RouteNetlink(in: namespace)
    let raw = try NetworkNamespace.inside(namespace) { () throws(SystemError) in
      try openNetlink(NETLINK_ROUTE, "NETLINK_ROUTE").release()
    }
    let socket = OwnedFD(owning: raw)
    // ip monitor address
    var address = sockaddr_nl()
    address.nl_family = sa_family_t(AF_NETLINK)
    address.nl_groups = UInt32(RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR)
    try retrying("bind NETLINK_ROUTE") {
      withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(raw, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
        }
      }
    }
    descriptor = socket
  }

  /// Takes what has been told, unread: `addresses` is asked anyway. Never blocks; after a great many messages it returns although
  /// there are more, and `descriptor` stays readable.
  public func drain() {
    let raw = descriptor.raw
    for _ in 0..<Self.mostMessages {
      let count = recv(raw, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      // ENOBUFS: messages were dropped, and there may be others. Which ones does not matter.
      if count < 0 && errno != ENOBUFS && errno != EINTR { return }
    }
  }

  private static let mostMessages = 4096

  /// The addresses by which others reach the namespace: those of global scope that are in use, those of the interface with the
  /// lowest number first, in the kernel's order.
  ///
  /// - Throws: `SystemError` of the request.
  public func addresses() throws(SystemError) -> [InterfaceAddress] {
    var found: [InterfaceAddress] = []
    // ip address show scope global
    let request = NetlinkRequest(RTM_GETADDR, flags: NLM_F_DUMP, ifaddrmsg())
    try netlink.list(request, "listing the addresses", { found = [] }) { payload in
      if let address = InterfaceAddress(message: payload), address.isReachable { found.append(address) }
    }
    return found.enumerated().sorted { ($0.element.interface, $0.offset) < ($1.element.interface, $1.offset) }
      .map(\.element)
  }
}

/// An address of an interface.
public struct InterfaceAddress: Equatable, Sendable {
  /// The number of the interface.
  public var interface: Int32
  /// The interface's own, not that of a peer.
  public var address: IPAddress
  /// Whether others can reach the namespace by it: of global scope, neither to be probed for duplicates nor one itself.
  public var isReachable: Bool
}

extension InterfaceAddress {
  /// What follows the header of a RTM_NEWADDR; nil when it is too short for one, or of another family.
  package init?(message payload: UnsafeRawBufferPointer) {
    guard payload.count >= MemoryLayout<ifaddrmsg>.size else { return nil }
    let fixed = payload.loadUnaligned(as: ifaddrmsg.self)
    var own: [UInt8]?
    var flags = UInt32(fixed.ifa_flags)
    forEachAttribute(in: payload, after: MemoryLayout<ifaddrmsg>.size) { type, content in
      switch Int(type) {
      // On a point-to-point link IFA_ADDRESS is the other end, and IFA_LOCAL this one; IPv6 has IFA_ADDRESS alone as a rule.
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
