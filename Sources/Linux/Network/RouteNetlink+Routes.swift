import CLinux
import Glibc

// Routes. The comment above the request is the ip(8) command that does the same.
extension RouteNetlink {
  /// Finds the interface by which the network namespace sends to an address.
  ///
  /// - Returns: its index; nil when there is no route, or the request failed.
  public func interface(towards address: IPAddress) -> Int32? {
    // ip route get ADDRESS
    var route = rtmsg()
    let bytes = address.bytes
    route.rtm_family = UInt8(bytes.count == 4 ? AF_INET : AF_INET6)
    route.rtm_dst_len = UInt8(bytes.count * 8)
    let request = NetlinkRequest(RTM_GETROUTE, flags: NLM_F_ACK, route)
    request.put(Int(RTA_DST.rawValue), bytes)
    var found: Int32?
    // EHOSTUNREACH and ENETUNREACH mean that there is no route.
    _ = try? netlink.exchange(request, "looking up the route to \(address)") { payload in
      guard payload.count >= MemoryLayout<rtmsg>.size else { return }
      forEachAttribute(in: payload, after: MemoryLayout<rtmsg>.size) { type, content in
        if UInt32(type) == RTA_OIF.rawValue, content.count >= 4 { found = content.loadUnaligned(as: Int32.self) }
      }
    }
    return found
  }
}
