import GuestSpec
import Linux
import Systemd

/// Whether a guest's sockets are confined (`SocketConfinement`): those of a guest with a network of its own are in the host's network, and must
/// lead nowhere.
struct Confinement {
  /// Why a socket is not confined that ought to be.
  private var failure: SystemError?
  private var report = ChangeFilter<SystemError>()
  /// What was found out for which kinds of sockets. It does not change while this process runs.
  private var tried: (internet: Bool, unixDatagrams: Bool, obstacle: SystemError?)?

  /// Whether new sockets of `guest` are confined.
  ///
  /// - Throws: `SystemError` for want of memory or descriptors: it is not known, and the sockets are not made without it.
  mutating func isWanted(_ guest: Guest) throws(SystemError) -> Bool {
    failure = nil
    guard guest.network.isOfItsOwn else { return false }
    let all = guest.sockets.flatMap(\.listen)
    failure = try obstacle(
      internet: all.contains { $0.address.isInternet },
      unixDatagrams: all.contains { !$0.address.isInternet && $0.kind == .datagram })
    return failure == nil
  }

  /// Finding out takes a process and some programs of the kernel, and sockets are bound after each instance.
  private mutating func obstacle(internet: Bool, unixDatagrams: Bool) throws(SystemError) -> SystemError? {
    if let tried, tried.internet == internet, tried.unixDatagrams == unixDatagrams { return tried.obstacle }
    let found = try SocketConfinement.obstacle(internet: internet, unixDatagrams: unixDatagrams)
    tried = (internet, unixDatagrams, found)
    return found
  }

  /// Confines the sockets that the service manager passed, by the cgroup of their unit; or lifts what an earlier file of the guest wanted.
  ///
  /// - Returns: why a socket of the guest, whoever made it, is a way to the host's network, once until that changes.
  mutating func confinePassed(_ listeners: [Listener], _ guest: Guest, _ diag: SockDiag) -> SystemError? {
    let wanted = guest.network.isOfItsOwn
    for listener in listeners where listener.isPassed && listener.isConfined != wanted {
      do throws(SystemError) {
        try SocketConfinement.setConfined(wanted, unitOf: listener.primary.descriptor, diag)
        listener.isConfined = wanted
      } catch {
        if wanted { failure = error }
      }
    }
    guard let failure else {
      report.reset()
      return nil
    }
    return report.isNew(failure) ? failure : nil
  }
}

extension ListenAddress {
  fileprivate var isInternet: Bool {
    switch self {
    case .ipv4, .ipv6: true
    case .path, .abstract: false
    }
  }
}
