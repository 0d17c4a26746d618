import GuestSpec
import Linux
import Systemd

/// Decides whether a guest's sockets are confined (`SocketConfinement`). The sockets of a guest with a network of its own belong to the
/// host's network, and must not give the guest access to it.
struct Confinement {
  /// Why a socket that should be confined is not.
  private var failure: SystemError?
  private var report = ChangeFilter<SystemError>()
  /// What the tests of the kernel found. It does not change while this process runs.
  private var obstacles: [SocketConfinement.Kind: SystemError?] = [:]

  /// The kinds of sockets of `guest` whose new sockets are confined. What cannot be done for one kind is still done for the other.
  ///
  /// - Throws: `SystemError` when memory or descriptors are exhausted. Then it is not known, and no sockets may be made.
  mutating func kinds(of guest: Guest) throws(SystemError) -> Set<SocketConfinement.Kind> {
    failure = nil
    guard guest.network.isOfItsOwn else { return [] }
    var confined: Set<SocketConfinement.Kind> = []
    for kind in Set(guest.sockets.flatMap(\.listen).compactMap(\.confinement)) {
      if let obstacle = try obstacle(kind) { failure = obstacle } else { confined.insert(kind) }
    }
    return confined
  }

  /// The result is kept, because the test takes a process and loads BPF programs, and sockets are bound after each instance.
  private mutating func obstacle(_ kind: SocketConfinement.Kind) throws(SystemError) -> SystemError? {
    if let known = obstacles[kind] { return known }
    let found = try SocketConfinement.obstacle(kind)
    obstacles[kind] = .some(found)
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

extension Listen {
  /// The kind of confinement that a socket for this address needs; nil when it needs none.
  var confinement: SocketConfinement.Kind? {
    switch escape {
    case .connections: .internet
    case .datagrams: .unixDatagrams
    case nil: nil
    }
  }
}
