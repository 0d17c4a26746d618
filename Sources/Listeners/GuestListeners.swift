import Glibc
import GuestSpec
import Linux
import Systemd

/// The listeners of one guest, in the order of its files. The guest gets their descriptors in this order.
package final class GuestListeners {
  package private(set) var all: [Listener] = []
  package let guest: String
  let store: SocketStore
  /// Reports data on their connections while the guest is frozen; nil when nobody wants that, or the kernel refuses.
  private(set) var alarm: ConnectionAlarm?
  private var confinement = Confinement()
  /// Descriptors set aside, so that the guest can be stopped when no others are left.
  package var emergencyDescriptors: DescriptorList?

  package init(of guest: String, _ store: SocketStore) {
    self.guest = guest
    self.store = store
  }

  /// Takes over a socket that the service manager passed for this guest, or that an earlier daemon left. Called before the first
  /// ``bind(_:)``.
  package func add(_ listener: Listener) { all.append(listener) }

  func use(_ alarm: ConnectionAlarm?) { self.alarm = alarm }

  /// The first listener at which a connection or a datagram waits.
  package var awaited: Listener? { all.first(where: \.isSomebodyWaiting) }

  /// Whether a client waits at a socket that the current instance does not have.
  var isSomebodyParked: Bool { all.contains(where: \.isSomebodyParked) }

  /// Whether a connection waits in a queue of the guest, also one whose client has left.
  package var isSomebodyUnaccepted: Bool {
    all.contains { $0.isAdopted != false && $0.listen.kind != .datagram && $0.isSomebodyQueued }
  }

  /// Whether the service manager passed any of them.
  package var arePassed: Bool { all.contains(where: \.isPassed) }

  /// Binds the addresses that `guest` asks for, repairs the listeners that are open, and closes those that it no longer asks for.
  ///
  /// - Returns: the listeners that had stopped working and were repaired: shut down by a guest, or with their path removed.
  /// - Throws: `SystemError` of the first address that could not be bound. Listeners that are open stay open.
  package func bind(_ guest: Guest) throws(SystemError) -> [Listener] {
    // Once each: a file that asks for one twice has an error, and is not started.
    var seen: Set<Listen> = []
    let wanted = guest.sockets.flatMap { group in group.listen.map { (listen: $0, group: group) } }
      .filter { seen.insert($0.listen).inserted }
    let kinds = try confinement.kinds(of: guest)
    let isConfined = { (listen: Listen) in listen.confinement.map(kinds.contains) ?? false }
    let groups = Dictionary(wanted.map { ($0.listen, $0.group) }, uniquingKeysWith: { first, _ in first })
    // Only the service manager can replace a socket that it passed, so that one stays while its address is asked for.
    close { listener in
      guard let group = groups[listener.listen] else { return true }
      return !listener.isPassed && (group != listener.group || listener.isConfined != isConfined(listener.listen))
    }
    // By address: to search for each among thousands would block the daemon for a minute.
    let order = all.map(\.listen)
    var former = Dictionary(all.map { ($0.listen, $0) }, uniquingKeysWith: { first, _ in first })
    all = []
    // Those that were not reached stay open.
    defer { all += order.compactMap { former.removeValue(forKey: $0) } }
    var repaired: [Listener] = []
    try store.batch { () throws(SystemError) in
      for (listen, group) in wanted {
        let kept = try keep(listen, group, of: &former)
        let listener: Listener
        if let there = kept?.listener {
          listener = there
        } else {
          listener = try open(listen, group, isConfined(listen))
        }
        all.append(listener)
        if let kept, kept.health != .sound { repaired.append(listener) }
        keepStored(listener, standby: listener.standby)
      }
    }
    return repaired
  }

  /// Confines the sockets that the service manager passed, after ``bind(_:)``.
  ///
  /// - Returns: why a socket gives a guest with a network of its own access to the host's. Each reason is returned once, until it changes.
  package func confinePassed(_ guest: Guest, _ diag: SockDiag) -> SystemError? {
    confinement.confinePassed(all, guest, diag)
  }

  /// Repairs the listener that was open for an address. One that cannot be repaired is closed, which frees the address.
  ///
  /// - Returns: nil when no listener was open for the address; no listener when it was closed.
  private func keep(
    _ listen: Listen, _ group: SocketGroup, of former: inout [Listen: Listener]
  ) throws(SystemError) -> (health: ListenerHealth, listener: Listener?)? {
    guard let listener = former[listen] else { return nil }
    let health = listener.isUnreachable ? .lost : try listener.repair()
    // The service manager goes on using what it passed, and a new socket would be a second one at the address.
    if health == .lost && listener.isPassed { throw SystemError("listen \(listener.address)", errno: EINVAL) }
    former[listen] = nil
    listener.group = group
    listener.isAdopted = nil
    if health == .lost { giveUp(listener) }
    return (health, health == .lost ? nil : listener)
  }

  private func open(_ listen: Listen, _ group: SocketGroup, _ isConfined: Bool) throws(SystemError) -> Listener {
    var options = try SocketOptions(group)
    options.isConfined = isConfined
    let descriptor = try openListener(listen.kind.inKernel, SocketAddress(listen.address), options)
    let listener = try Listener(descriptor, as: listen, of: group, passed: false)
    listener.isConfined = isConfined
    return listener
  }

  /// Calls `incoming` with each listener that a client comes to. Only while no instance runs: it would wake both.
  ///
  /// - Parameters:
  ///   - loop: the loop that watches the listeners.
  ///   - diag: tells whether a client in the queue has left.
  ///   - incoming: called with the listener at which a client waits.
  /// - Throws: `SystemError` of epoll_ctl(2).
  package func watch(
    _ loop: EventLoop, _ diag: SockDiag, incoming: @escaping (Listener) -> Void
  ) throws(SystemError) {
    for listener in all {
      try listener.watch(loop) { [unowned listener] in
        if !listener.ignoreSpent(diag) { incoming(listener) }
      }
    }
  }

  /// Ends ``watch(_:_:incoming:)``.
  package func stopWatching() {
    for listener in all { listener.stopWatching() }
  }

  /// Calls `incoming` with each listener of a frozen guest that a client comes to, until ``handBack()``.
  ///
  /// - Throws: `SystemError` of epoll_ctl(2).
  package func watchWhileFrozen(_ loop: EventLoop, incoming: @escaping (Listener) -> Void) throws(SystemError) {
    for listener in all where listener.isAdopted != false {
      try listener.watch(loop) { [unowned listener] in incoming(listener) }
    }
  }

  /// Ends ``watchWhileFrozen(_:incoming:)``: the guest accepts for itself again. Listeners that it never took stay watched, because
  /// their clients are refused.
  package func handBack() {
    for listener in all where listener.isAdopted != false { listener.stopWatching() }
  }

  /// Closes every listener. `RemoveOnStop=` removes the paths that were bound here.
  ///
  /// - Parameter forNext: leaves the sockets, with the clients that wait, in the service manager's store for the next daemon.
  package func release(forNext: Bool) {
    if forNext {
      for listener in all {
        leaveOne(of: listener)
        letGo(listener)
        listener.steerHome()
      }
      all = []
    } else {
      close { _ in true }
    }
  }

  /// Records which listeners the guest has open.
  package func recordAdoption(by inodes: Set<UInt64>) {
    for listener in all { listener.isAdopted = inodes.contains(listener.inode) }
  }

  /// Duplicates the descriptors, in order, for one launch.
  ///
  /// - Parameter nonBlocking: whether they have O_NONBLOCK. The flag is shared by all descriptors of a socket.
  /// - Returns: the duplicates.
  /// - Throws: `SystemError` when no descriptor is left.
  package func duplicates(nonBlocking: Bool = true) throws(SystemError) -> DescriptorList {
    let list = DescriptorList()
    for listener in all {
      try setNonBlocking(listener.descriptor, nonBlocking)
      list.append(try listener.descriptor.duplicate())
    }
    return list
  }

  private func close(where isUnwanted: (Listener) -> Bool) {
    for listener in all where isUnwanted(listener) {
      giveUp(listener)
      letGo(listener)
    }
    all.removeAll(where: isUnwanted)
  }

  private func letGo(_ listener: Listener) {
    listener.stopWatching()
    if listener.hasAlarm { DataAlarm.detach(from: listener.descriptor) }
    if listener.group.file.removeOnStop, !listener.isPassed, case .path(let path) = listener.listen.address {
      removeSafely(path)
      StandbyPath.remove(path)
    }
  }
}
