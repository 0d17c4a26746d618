import Glibc
import GuestSpec
import Linux
import Systemd

/// The sockets of one guest, in the order in which its files name them: the order of their descriptors in the guest.
package final class GuestListeners {
  package private(set) var all: [Listener] = []
  package let guest: String
  let store: SocketStore
  /// Reports data on their connections while the guest is frozen; nil when nobody wants that, or the kernel refuses.
  private(set) var alarm: ConnectionAlarm?
  /// Descriptors that nobody uses, so that there are some when the guest has to be parted with.
  package var emergencyDescriptors: DescriptorList?

  package init(of guest: String, _ store: SocketStore) {
    self.guest = guest
    self.store = store
  }

  /// Takes over a socket that the service manager passed for this guest, or that an earlier daemon left, before the first `hold`.
  package func add(_ listener: Listener) { all.append(listener) }

  func use(_ alarm: ConnectionAlarm?) { self.alarm = alarm }

  /// The first with a connection or a datagram in a queue.
  package var awaited: Listener? { all.first(where: \.isSomebodyWaiting) }

  /// Whether somebody waits whom only the next guest can serve.
  var isSomebodyParked: Bool { all.contains(where: \.isSomebodyParked) }

  package var arePassed: Bool { all.contains(where: \.isPassed) }

  /// Opens what `guest` asks for and is not open, repairs what is, and closes what it asks for no longer.
  ///
  /// - Returns: those that served no longer, shut down by a guest or with their path taken away, and that serve again.
  /// - Throws: `SystemError` of the first that could not be opened; those that are open stay so.
  package func bind(_ guest: Guest) throws(SystemError) -> [Listener] {
    let wanted = guest.sockets.flatMap { group in group.listen.map { (listen: $0, group: group) } }
    // What the service manager passed is its to make anew: as long as the address is asked for, it stays.
    close { listener in
      !wanted.contains { $0.listen == listener.listen && (listener.isPassed || $0.group == listener.group) }
    }
    var repaired: [Listener] = []
    try store.batch { () throws(SystemError) in
      for (place, (listen, group)) in wanted.enumerated() {
        switch try keep(listen, group, at: place) {
        case .sound?: break
        case .repaired?: repaired.append(all[place])
        case .lost?:
          try open(listen, group, at: place)
          repaired.append(all[place])
        case nil: try open(listen, group, at: place)
        }
        keepStored(all[place], standby: all[place].standby)
      }
    }
    return repaired
  }

  /// Moves the open listener to its place, repaired; one that is lost is closed, so that its address is free again.
  ///
  /// - Returns: nil when none is open.
  private func keep(_ listen: Listen, _ group: SocketGroup, at place: Int) throws(SystemError) -> ListenerHealth? {
    guard let index = all.firstIndex(where: { $0.listen == listen }) else { return nil }
    let listener = all[index]
    let health = listener.isUnreachable ? .lost : try listener.repair()
    // Its service manager goes on using what it passed: a new socket would be a standby one on the address.
    if health == .lost && listener.isPassed { throw SystemError("listen \(listener.address)", errno: EINVAL) }
    all.remove(at: index)
    if health == .lost { giveUp(listener) } else { all.insert(listener, at: place) }
    listener.group = group
    listener.isAdopted = nil
    return health
  }

  private func open(_ listen: Listen, _ group: SocketGroup, at place: Int) throws(SystemError) {
    let descriptor = try openListener(listen.kind.inKernel, SocketAddress(listen.address), SocketOptions(group))
    all.insert(try Listener(descriptor, as: listen, of: group, passed: false), at: place)
  }

  /// Calls `incoming` with the listener at which somebody incoming. No guest may run.
  ///
  /// - Throws: `SystemError` when epoll refuses.
  package func watch(_ loop: EventLoop, incoming: @escaping (Listener) -> Void) throws(SystemError) {
    for listener in all {
      try listener.watch(loop) { [unowned listener] in incoming(listener) }
    }
  }

  package func stopWatching() {
    for listener in all { listener.stopWatching() }
  }

  /// Watches those that a frozen guest holds, until `handBack`.
  ///
  /// - Throws: `SystemError` when epoll refuses.
  package func watchWhileFrozen(_ loop: EventLoop, incoming: @escaping (Listener) -> Void) throws(SystemError) {
    for listener in all where listener.isAdopted != false {
      try listener.watch(loop) { [unowned listener] in incoming(listener) }
    }
  }

  /// The guest can take what comes itself again. Those that it never took are its no more than before.
  package func handBack() {
    for listener in all where listener.isAdopted != false { listener.stopWatching() }
  }

  /// Lets every socket go; those that were bound here by a path are removed where `RemoveOnStop=` asks for it.
  ///
  /// - Parameter forNext: whether the next daemon is to find what the service manager has of them, with whoever waits there.
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

  /// Notes which listeners the guest holds.
  package func recordAdoption(by inodes: Set<UInt64>) {
    for listener in all { listener.isAdopted = inodes.contains(listener.inode) }
  }

  /// The descriptors in order, duplicated for one launch.
  ///
  /// - Throws: `SystemError` when the process has no descriptor left.
  package func duplicates() throws(SystemError) -> DescriptorList {
    let list = DescriptorList()
    for listener in all { list.append(try listener.descriptor.duplicate()) }
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
    if listener.group.removeOnStop, !listener.isPassed, case .path(let path) = listener.listen.address {
      removeFile(path)
      StandbyPath.remove(path)
    }
  }
}
