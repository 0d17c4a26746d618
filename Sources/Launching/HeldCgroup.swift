import Glibc
import Linux

/// A cgroup in a guest that stands still by itself, whatever becomes of those above it, until it is let go.
public final class HeldCgroup {
  let path: String
  // Opened beforehand: to let it go, no descriptor has to be had then.
  private let freezer: OwnedFD

  private static let file = "/cgroup.freeze"

  /// - Returns: nil when it is gone, or stands still by the guest's own will, which is not ours to undo.
  init?(_ path: String) {
    guard let own = try? readFile(path + Self.file, limit: 16), own.first == UInt8(ascii: "0"),
      let freezer = try? Cgroup2.open(path + Self.file, O_WRONLY),
      (try? Cgroup2.write("1", to: freezer, path + Self.file)) != nil
    else { return nil }
    self.path = path
    self.freezer = freezer
  }

  /// Lets its processes go on, when those above it do. One that is gone has none.
  ///
  /// - Throws: `SystemError` of write(2); they stand still as before.
  public func letGo() throws(SystemError) {
    do throws(SystemError) {
      try Cgroup2.write("0", to: freezer, path + Self.file)
    } catch {
      if error.errno != ENODEV { throw error }
    }
  }

  /// Lets go what an earlier daemon held, and what the guest did.
  static func letGo(_ path: String) {
    guard let freezer = try? Cgroup2.open(path + file, O_WRONLY) else { return }
    try? Cgroup2.write("0", to: freezer, path + file)
  }
}

extension GuestCgroup {
  /// The cgroup in which a systemd that is PID 1 of a guest is alone.
  private var leaderScope: String { payloadPath + "/init.scope" }

  /// Holds PID 1 back before the rest of the guest is let go on; nil when PID 1 is no systemd with a cgroup of its own.
  public func holdLeader() -> HeldCgroup? { HeldCgroup(leaderScope) }

  /// Holds all of a guest that stands still back but PID 1 and those who answer clients: on a few processors everybody who goes on too
  /// would be before them.
  ///
  /// - Parameters:
  ///   - sockets: by their inodes; who has one of them open answers. That a systemd has them all is no help.
  ///   - limit: how many descriptors of the guest are looked at; when it has more, nobody is held back.
  /// - Returns: nothing when nobody is found who answers.
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

  /// Whether somebody else in the guest than PID 1 has work to do at this moment.
  public var areOthersBusy: Bool {
    let groups = (try? Cgroup2.tree(payloadPath)) ?? []
    return groups.contains { $0 != leaderScope && (try? Cgroup2.isBusy($0)) == true }
  }

  /// Undoes what a daemon that was killed may have left: every process goes on.
  ///
  /// - Throws: `SystemError` of write(2); `ENODEV` when it is gone.
  public func thawAll() throws(SystemError) {
    for group in (try? Cgroup2.tree(payloadPath)) ?? [] { HeldCgroup.letGo(group) }
    try setFrozen(false)
  }
}
