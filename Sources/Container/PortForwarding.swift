import Launching
import Linux
import Planning
import Supervision
import Systemd

/// Forwards ports of the host to a guest (`Port=`): watches the addresses of the guest's network, and sets rules of the host's packet filter
/// for them.
final class PortForwarding {
  private let guest: String
  private let network: GuestNetwork
  private let watch: AddressWatch
  private let pace: Retry
  private var source: EventSource?
  private var current: PortRules?

  /// - Throws: `SystemError`.
  init(_ network: GuestNetwork, of guest: String, _ loop: EventLoop) throws(SystemError) {
    self.guest = guest
    self.network = network
    pace = Retry(loop)
    watch = try network.watchAddresses()
  }

  deinit { source?.cancel() }

  /// - Throws: `SystemError` when epoll refuses.
  func begin(_ loop: EventLoop, _ report: @escaping (InstanceRemark) -> Void) throws(SystemError) {
    source = try loop.watch(watch.descriptor, for: .readable) { [unowned self] _ in
      watch.drain()
      update(report)
      pause()
    }
    update(report)
  }

  /// Looks at the addresses once a second at most: a guest may have thousands, and change them without end. What changes meanwhile is
  /// reported after the pause.
  private func pause() {
    do throws(SystemError) {
      try pace.schedule { [unowned self] in try? source?.setEnabled(true) }
      try source?.setEnabled(false)
    } catch {
      pace.cancel()
    }
  }

  func stop() {
    pace.cancel()
    source?.cancel()
    source = nil
  }

  private func update(_ report: (InstanceRemark) -> Void) {
    do {
      let addresses = try watch.addresses().map(\.address)
      var rules = PortRules(network.ports, ipv4: nil, ipv6: nil, hostEnd: network.hostEnd)
      for address in addresses.reversed() {
        switch address {
        case .v4: rules.ipv4 = address.description
        case .v6: rules.ipv6 = address.description
        }
      }
      // A guest that has never had an address needs no rules.
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

  /// Called when the rules are set, because they also keep the guest from the host's 127.0.0.1.
  private func allowLoopback(_ hostEnd: String, _ report: (InstanceRemark) -> Void) {
    do throws(SystemError) {
      try allowLoopbackAddresses(on: hostEnd)
    } catch {
      report(.notFromLoopback(error: "\(error)"))
    }
  }
}
