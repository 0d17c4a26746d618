import Glibc
import Linux

/// A cgroup inside a guest that is frozen by itself, so that it stays frozen when the guest is thawed, until it is released.
public final class HeldCgroup {
  let path: String
  // Opened beforehand, so that the release works even when no descriptor is left.
  private let freezer: OwnedFD

  private static let file = "/cgroup.freeze"

  /// Freezes the cgroup at `path`.
  ///
  /// - Returns: nil when it has been removed, and when the guest has frozen it itself: the daemon must not undo that.
  init?(_ path: String) {
    guard let own = try? readFile(path + Self.file, limit: 16), own.first == UInt8(ascii: "0"),
      let freezer = try? Cgroup2.open(path + Self.file, O_WRONLY),
      (try? Cgroup2.write("1", to: freezer, path + Self.file)) != nil
    else { return nil }
    self.path = path
    self.freezer = freezer
  }

  /// Thaws the cgroup. Its processes run when the cgroups above it are thawed too. A removed cgroup is no error.
  ///
  /// - Throws: `SystemError` of write(2); the cgroup stays frozen.
  public func release() throws(SystemError) {
    do throws(SystemError) {
      try Cgroup2.write("0", to: freezer, path + Self.file)
    } catch {
      if error.errno != ENODEV { throw error }
    }
  }

  /// Thaws a cgroup, whether an earlier daemon or the guest has frozen it.
  static func release(_ path: String) {
    guard let freezer = try? Cgroup2.open(path + file, O_WRONLY) else { return }
    try? Cgroup2.write("0", to: freezer, path + file)
  }
}

extension GuestCgroup {
  /// The cgroup in which a systemd that is PID 1 of a guest is alone.
  private var leaderScope: String { payloadPath + "/init.scope" }

  /// Holds PID 1, so that the rest of the guest can be thawed before it. Returns nil when PID 1 is no systemd with a cgroup of its own.
  public func holdLeader() -> HeldCgroup? { HeldCgroup(leaderScope) }

  /// Holds every cgroup of a frozen guest except PID 1's and those that serve clients. On a machine with few processors the others would
  /// otherwise run before them after the thaw.
  ///
  /// - Parameters:
  ///   - sockets: the inodes of sockets. A process that has one of them open serves clients. PID 1 does not count: a systemd has them all.
  ///   - limit: how many descriptors of the guest are scanned. If the guest has more, nothing is held.
  /// - Returns: the held cgroups; none when no process that serves clients is found.
  public func holdOthers(from sockets: Set<UInt64>, limit: Int) -> [HeldCgroup] {
    var answering: [String] = []
    var others: [String] = []
    var search = SocketSearch(for: sockets, limit: limit)
    for group in (try? Cgroup2.tree(payloadPath)) ?? [] where group != leaderScope {
      guard let processes = try? Cgroup2.processes(group), !processes.isEmpty else { continue }
      search.forget()
      for process in processes { _ = try? search.scan(process: process) }
      if search.found.isEmpty { others.append(group) } else { answering.append(group) }
    }
    if answering.isEmpty || search.isExhausted { return [] }
    let apart = others.filter { other in
      !answering.contains { $0.hasPrefix(other + "/") || other.hasPrefix($0 + "/") }
    }
    return apart.compactMap { HeldCgroup($0) }
  }

  /// Whether a process other than PID 1 is running or runnable at this moment.
  public var areOthersBusy: Bool {
    let groups = (try? Cgroup2.tree(payloadPath)) ?? []
    return groups.contains { $0 != leaderScope && (try? Cgroup2.isBusy($0)) == true }
  }

  /// Thaws the guest and every cgroup in it, whatever a killed daemon has left frozen.
  ///
  /// - Throws: `SystemError` of write(2); `ENODEV` when the cgroup has been removed.
  public func thawAll() throws(SystemError) {
    for group in (try? Cgroup2.tree(payloadPath)) ?? [] { HeldCgroup.release(group) }
    try setFrozen(false)
  }
}
