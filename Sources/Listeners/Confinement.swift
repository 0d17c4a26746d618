import GuestSpec
import Linux
import Systemd

/// Decides whether a guest's sockets are confined (`SocketConfinement`). The sockets of a guest with a network of its own belong to the
/// host's network, and must not give the guest access to it.
struct Confinement {
  /// Why a socket that should be confined is not.
  private var failure: SystemError?
  private var report = ChangeFilter<SystemError>()
  /// The result of the last test of the kernel, and the kinds of sockets for which it was made. It does not change while this process runs.
  private var tried: (internet: Bool, unixDatagrams: Bool, obstacle: SystemError?)?

  /// Whether new sockets of `guest` are confined.
  ///
  /// - Throws: `SystemError` when memory or descriptors are exhausted. Then it is not known, and no sockets may be made.
  mutating func isWanted(_ guest: Guest) throws(SystemError) -> Bool {
    failure = nil
    guard guest.network.isOfItsOwn else { return false }
    let all = guest.sockets.flatMap(\.listen)
    failure = try obstacle(
      internet: all.contains { $0.address.isInternet },
      unixDatagrams: all.contains { !$0.address.isInternet && $0.kind == .datagram })
    return failure == nil
  }

  /// The result is kept, because the test takes a process and loads BPF programs, and sockets are bound after each instance.
  private mutating func obstacle(internet: Bool, unixDatagrams: Bool) throws(SystemError) -> SystemError? {
    if let tried, tried.internet == internet, tried.unixDatagrams == unixDatagrams { return tried.obstacle }
    let found = try SocketConfinement.obstacle(internet: internet, unixDatagrams: unixDatagrams)
    tried = (internet, unixDatagrams, found)
    return found
  }

  /// Confines the sockets that the service manager passed, by the cgroup of their unit, or lifts the confinement that an earlier file of
  /// the guest asked for.
  ///
  /// - Returns: why some socket of the guest, made by this daemon or passed, gives it access to the host's network. Each reason is returned
  ///   once, until it changes.
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
