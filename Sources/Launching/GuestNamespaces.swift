import CLaunch
import Glibc
import Linux
import Planning

/// The namespaces of a guest that are there before its first process: so that interfaces are put into the network, and mounts
/// mapped to the users, before anything of the guest runs.
///
/// They live as long as this does, and as long as a process is in them.
public final class GuestNamespaces {
  /// nil when the guest's users are the host's.
  public let users: Namespace?
  /// nil when the guest's network is the host's. With `users` it belongs to that user namespace.
  public let network: Namespace?
  /// User namespaces that nobody enters.
  private var mappings: [IDMap: Namespace] = [:]

  /// - Throws: `LaunchError` that says which namespace cannot be had, and why.
  public init(users map: IDMap?, network: LaunchPlan.Network) throws(LaunchError) {
    var own: Namespace?
    if case .at(let path) = network { own = try Namespace(network: path) }
    let makesNetwork = network == .own
    guard map != nil || makesNetwork else {
      users = nil
      self.network = own
      return
    }
    let holder = try Holder(users: map != nil, network: makesNetwork)
    var users: Namespace?
    if let map {
      try holder.write(map)
      users = try holder.namespace("user")
    }
    if makesNetwork { own = try holder.namespace("net") }
    self.users = users
    self.network = own
  }

  /// Makes the user namespaces by which a plan translates the owners of binds.
  func makeMappings(of plan: LaunchPlan) throws(LaunchError) {
    for case .mapping(let map) in plan.preloaded { _ = try namespace(of: map) }
  }

  /// The user namespace that nobody enters with this map, made when there is none yet.
  func namespace(of map: IDMap) throws(LaunchError) -> Namespace {
    if let made = mappings[map] { return made }
    let holder = try Holder(users: true, network: false)
    try holder.write(map)
    let made = try holder.namespace("user")
    mappings[map] = made
    return made
  }

  /// The descriptor that a plan's slot gets, borrowed; `terminals` and `smallInit` are the launcher's.
  ///
  /// - Throws: `LaunchError`; `EBADF` when these namespaces were made for another plan.
  func number(
    of descriptor: Preloaded, terminals: Int32, smallInit: SmallInit.Program?
  ) throws(LaunchError) -> Int32 {
    let number: Int32?
    switch descriptor {
    case .terminals: number = terminals
    case .network: number = network?.descriptor.raw
    case .users: number = users?.descriptor.raw
    case .mapping(let map): number = mappings[map]?.descriptor.raw
    case .smallInit: number = smallInit?.descriptor.raw
    case .credentials, .unixExport: number = nil
    }
    guard let number else { throw LaunchError("preparing the descriptor of \(descriptor)", errno: EBADF) }
    return number
  }
}

/// A namespace that is kept by a descriptor of it.
public final class Namespace {
  /// An open file of nsfs, for setns(2) and the like: borrowed, and closed with this value.
  public let descriptor: OwnedFD

  fileprivate init(_ path: String) throws(SystemError) {
    descriptor = OwnedFD(owning: try retrying("open \(path)") { open(path, O_RDONLY | O_CLOEXEC) })
  }

  fileprivate convenience init(network path: String) throws(LaunchError) {
    do throws(SystemError) {
      self.init(try NetworkNamespace.open(path))
    } catch {
      let hint = error.errno == EINVAL ? " (it is none)" : ""
      throw LaunchError("opening the network namespace \(path)\(hint)", errno: error.errno)
    }
  }

  private init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }
}

/// The process that waits in new namespaces, ended with this value.
private final class Holder {
  private var holder = launch_holder()

  init(users: Bool, network: Bool) throws(LaunchError) {
    let flags = (users ? Kernel.newUsers : 0) | (network ? Kernel.newNetwork : 0)
    let error = launch_hold(flags, &holder)
    if error == 0 { return }
    let what = [users ? "user" : nil, network ? "network" : nil].compactMap { $0 }.joined(separator: " and ")
    let hint = -error == ENOSPC ? " (see the sysctls user.max_user_namespaces and user.max_net_namespaces)" : ""
    throw LaunchError("making the guest's \(what) namespace\(hint)", errno: Int32(-error))
  }

  deinit { launch_let_go(&holder) }

  func namespace(_ kind: String) throws(LaunchError) -> Namespace {
    let path = "/proc/\(holder.pid)/ns/\(kind)"
    do throws(SystemError) {
      return try Namespace(path)
    } catch {
      throw LaunchError("taking hold of the guest's namespaces (\(error.call))", errno: error.errno)
    }
  }

  func write(_ map: IDMap) throws(LaunchError) {
    for (name, extent) in [("uid_map", map.users), ("gid_map", map.groups)] {
      let path = "/proc/\(holder.pid)/\(name)"
      let line = "\(extent.inner) \(extent.outer) \(extent.count)\n"
      do throws(SystemError) {
        try writeSetting(path, line)
      } catch {
        let ids = "\(extent.outer)…\(UInt64(extent.outer) + UInt64(extent.count) - 1)"
        throw LaunchError("mapping the guest's users to \(ids) (\(error.call))", errno: error.errno)
      }
    }
  }
}
