import GuestSpec
import Linux

// The sockets of a guest with a network of its own are in the host's network. They are confined (`SocketConfinement`), so that they lead
// nowhere.
extension GuestListeners {
  /// Whether new sockets of `guest` are confined. Where that cannot be had, `confinementFailure` says why.
  ///
  /// - Throws: `SystemError` for want of memory or descriptors: it is not known, and the sockets are not made without it.
  func confines(_ guest: Guest) throws(SystemError) -> Bool {
    confinementFailure = nil
    guard guest.network.isOfItsOwn else { return false }
    let all = guest.sockets.flatMap(\.listen)
    confinementFailure = try SocketConfinement.obstacle(
      internet: all.contains { $0.address.isInternet },
      unixDatagrams: all.contains { !$0.address.isInternet && $0.kind == .datagram })
    return confinementFailure == nil
  }

  /// Confines the sockets that the service manager passed, by the cgroup of their unit; or lifts what an earlier file of the guest wanted.
  ///
  /// - Returns: why a socket of the guest, whoever made it, is a way to the host's network, once until that changes.
  package func confinePassed(_ guest: Guest, _ diag: SockDiag) -> SystemError? {
    let wanted = guest.network.isOfItsOwn
    for listener in all where listener.isPassed && listener.isConfined != wanted {
      do throws(SystemError) {
        try SocketConfinement.setConfined(wanted, unitOf: listener.primary.descriptor, diag)
        listener.isConfined = wanted
      } catch {
        if wanted { confinementFailure = error }
      }
    }
    guard let failure = confinementFailure else { return nil }
    return confinementReport.isNew(failure) ? failure : nil
  }
}

extension NetworkSettings {
  /// Whether the guest is not in the host's network.
  var isOfItsOwn: Bool { isPrivate || namespacePath != nil }
}

extension ListenAddress {
  var isInternet: Bool {
    switch self {
    case .ipv4, .ipv6: true
    case .path, .abstract: false
    }
  }
}
