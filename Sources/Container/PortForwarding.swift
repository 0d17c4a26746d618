import Launching
import Linux
import Planning
import Supervision
import Systemd

/// Makes ports of the host lead to a guest wherever its address is: follows the addresses of the guest's network, and sets the rules
/// of the host's packet filter by them.
final class PortForwarding {
  private let guest: String
  private let network: GuestNetwork
  private let watch: AddressWatch
  private var source: EventSource?
  private var current: PortRules?

  /// - Throws: `SystemError`.
  init(_ network: GuestNetwork, of guest: String) throws(SystemError) {
    self.guest = guest
    self.network = network
    watch = try network.watchAddresses()
  }

  deinit { source?.cancel() }

  /// - Throws: `SystemError` when epoll refuses.
  func begin(_ loop: EventLoop, _ report: @escaping (InstanceRemark) -> Void) throws(SystemError) {
    source = try loop.watch(watch.descriptor, for: .readable) { [unowned self] _ in
      watch.drain()
      follow(report)
    }
    follow(report)
  }

  func stop() {
    source?.cancel()
    source = nil
  }

  private func follow(_ report: (InstanceRemark) -> Void) {
    do {
      let addresses = try watch.addresses().map(\.address)
      var rules = PortRules(network.ports, ipv4: nil, ipv6: nil, hostEnd: network.hostEnd)
      for address in addresses.reversed() {
        switch address {
        case .v4: rules.ipv4 = address.description
        case .v6: rules.ipv6 = address.description
        }
      }
      // A guest without an address needs no rules, until it has had some.
      if rules == current || current == nil && addresses.isEmpty { return }
      try Nftables.run(rules.text(of: guest))
      let isFirst = current == nil
      current = rules
      report(.forwarding(to: [rules.ipv4, rules.ipv6].compactMap { $0 }))
      if isFirst, let hostEnd = rules.hostEnd { allowLoopback(hostEnd, report) }
    } catch {
      report(.cannotForward(error: "\(error)"))
    }
  }

  /// After the rules that keep the guest from the host's 127.0.0.1 are there.
  private func allowLoopback(_ hostEnd: String, _ report: (InstanceRemark) -> Void) {
    do throws(SystemError) {
      try allowLoopbackAddresses(on: hostEnd)
    } catch {
      report(.notFromLoopback(error: "\(error)"))
    }
  }
}
