/// Reads and changes the interfaces and addresses of one network namespace: rtnetlink(7).
///
/// It belongs to the network namespace in which it was made, and keeps that alive. It never blocks.
public final class RouteNetlink {
  let netlink: NetlinkSocket

  /// Opens the network namespace of the calling thread.
  ///
  /// - Throws: `SystemError` of socket(2).
  public init() throws(SystemError) { netlink = try NetlinkSocket(.route) }

  /// Opens another network namespace.
  ///
  /// - Throws: `SystemError` of setns(2) or socket(2).
  public init(in namespace: borrowing OwnedFD) throws(SystemError) {
    netlink = try NetlinkSocket(.route, in: namespace)
  }
}
