import Launching
import Linux
import Planning
import Supervision
import Systemd

/// Forwards ports of the host to a guest (`Port=`): watches the addresses of the guest's network, and sets rules of the host's packet filter
/// for them.
///
/// Root in the guest can set any address, as often as it likes. So an address counts only if the host's own route to it goes through a link
/// of the guest, and there is a pause after each change, unless memory for its timer is exhausted.
final class PortForwarding {
  private let guest: String
  private let network: GuestNetwork
  private let addresses: AddressWatch
  /// Changes of the host's routes: a route to the guest may come after the guest's address.
  private let routes: NetworkChanges
  private let pause: Retry
  private var sources: [EventSource] = []
  private var current: PortRules?
  /// The guest's addresses that do not count, because the host's routes to them go elsewhere.
  private var refused: [String] = []
  /// Whether something changed during the pause.
  private var isStale = false
  private let report: (InstanceRemark) -> Void

  /// - Throws: `SystemError`.
  init(
    _ network: GuestNetwork, of guest: String, _ timers: any Timers, _ report: @escaping (InstanceRemark) -> Void
  ) throws(SystemError) {
    self.guest = guest
    self.network = network
    self.report = report
    addresses = try network.watchAddresses()
    routes = try NetworkChanges(ofRoutes: ())
    pause = Retry(timers)
  }

  deinit { stop() }

  /// - Throws: `SystemError` when epoll refuses.
  func begin(_ loop: EventLoop) throws(SystemError) {
    sources.append(try loop.watch(addresses.descriptor, for: .readable) { [unowned self] _ in changed() })
    sources.append(try loop.watch(routes.descriptor, for: .readable) { [unowned self] _ in routesChanged() })
    changed()
  }

  func stop() {
    pause.cancel()
    for source in sources { source.cancel() }
    sources = []
  }

  private func routesChanged() {
    routes.drain()
    if refused.isEmpty { return }
    if pause.isPending { isStale = true } else { changed() }
  }

  private func changed() {
    do throws(SystemError) {
      // The source is disabled only when the timer runs that enables it again; otherwise no later change would be noticed.
      try pause.schedule { [unowned self] in resume() }
      try sources.first?.setEnabled(false)
    } catch {
      report(.cannotForward(error: "\(error)"))
    }
    isStale = false
    addresses.drain()
    update()
  }

  private func resume() {
    do throws(SystemError) { try sources.first?.setEnabled(true) } catch { report(.cannotForward(error: "\(error)")) }
    if isStale { changed() }
  }

  private func update() {
    do {
      let (rules, refused) = try rules()
      if self.refused.isEmpty, !refused.isEmpty {
        report(.cannotForward(error: "the host's route to \(refused[0]) does not lead to the guest's own link"))
      }
      self.refused = refused
      // A guest that has never had an address needs no rules.
      if rules == current || current == nil && rules.ipv4 == nil && rules.ipv6 == nil { return }
      try Nftables.run(rules.text(of: guest))
      let isFirst = current == nil
      current = rules
      report(.forwarding(to: [rules.ipv4, rules.ipv6].compactMap { $0 }))
      if isFirst, let hostEnd = rules.hostEnd { allowLoopback(hostEnd) }
    } catch {
      report(.cannotForward(error: "\(error)"))
    }
  }

  /// Rules for the first IPv4 and the first IPv6 address that the host reaches through the guest's own link, and the addresses before them
  /// that it does not.
  private func rules() throws(SystemError) -> (PortRules, refused: [String]) {
    let ways = try network.ways()
    var rules = PortRules(network.ports, hostEnd: network.hostEnd, ways: ways.map(\.name))
    var refused: [String] = []
    for address in try addresses.addresses().map(\.address).prefix(Self.most) {
      switch address {
      case .v4: if rules.ipv4 != nil { continue }
      case .v6: if rules.ipv6 != nil { continue }
      }
      guard network.leads(ways, to: address) else {
        refused.append(address.description)
        continue
      }
      switch address {
      case .v4: rules.ipv4 = address.description
      case .v6: rules.ipv6 = address.description
      }
    }
    return (rules, refused)
  }

  /// How many addresses of a guest are considered.
  private static let most = 64

  /// Called when the rules are set, because they also keep the guest from the host's 127.0.0.1.
  private func allowLoopback(_ hostEnd: String) {
    do throws(SystemError) {
      try allowLoopbackAddresses(on: hostEnd)
    } catch {
      report(.notFromLoopback(error: "\(error)"))
    }
  }
}
