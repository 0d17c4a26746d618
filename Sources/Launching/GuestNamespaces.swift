import CLaunch
import Glibc
import Linux
import Planning

/// The namespaces of a guest that are made before its first process. Interfaces are moved into the network namespace, and mounts are mapped
/// by the user namespace, before anything of the guest runs.
///
/// A namespace lives as long as this value, and as long as a process is in it.
public final class GuestNamespaces {
  /// The user namespace, which the guest's root owns; nil when the guest's users are the host's.
  public let users: Namespace?
  /// The network namespace; nil when the guest's network is the host's. If there is a `users`, that owns it.
  public let network: Namespace?
  /// User namespaces that no process enters: they only map the owners of mounts.
  private var mappings: [IDMap: Namespace] = [:]

  /// - Throws: `LaunchError`, which says which namespace cannot be made, and why.
  public init(users map: IDMap?, network: LaunchPlan.Network) throws(LaunchError) {
    var own: Namespace?
    if case .at(let path) = network { own = try Namespace(network: path) }
    let makesNetwork = network == .own
    guard map != nil || makesNetwork else {
      users = nil
      self.network = own
      return
    }
    let holder = try Holder(users: map != nil, network: makesNetwork, owner: map)
    var users: Namespace?
    if let map {
      try holder.write(map)
      users = try holder.namespace("user")
    }
    if makesNetwork { own = try holder.namespace("net") }
    self.users = users
    self.network = own
  }

  /// Makes the user namespaces that a plan maps the owners of bind mounts by.
  func makeMappings(of plan: LaunchPlan) throws(LaunchError) {
    for case .mapping(let map) in plan.preloaded { _ = try namespace(of: map) }
  }

  /// Returns the user namespace with this map that no process enters, and makes it if there is none yet.
  func namespace(of map: IDMap) throws(LaunchError) -> Namespace {
    if let made = mappings[map] { return made }
    let holder = try Holder(users: true, network: false, owner: nil)
    try holder.write(map)
    let made = try holder.namespace("user")
    mappings[map] = made
    return made
  }

  /// The descriptor for a plan's preloaded slot, borrowed. `terminals` and `smallInit` are made by `launch`.
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

/// A namespace, kept alive by an open descriptor.
public final class Namespace {
  /// An open file of nsfs, as setns(2) takes it. Borrowed; closed with this value.
  public let descriptor: OwnedFD

  fileprivate init(_ path: String) throws(SystemError) {
    descriptor = OwnedFD(owning: try retrying("open \(path)") { open(path, O_RDONLY | O_CLOEXEC) })
  }

  fileprivate convenience init(network path: String) throws(LaunchError) {
    do throws(SystemError) {
      self.init(try NetworkNamespace.open(path))
    } catch {
      let hint =
        switch error.errno {
        case EINVAL: " (it is none)"
        case EPERM: " (\(error.call))"
        default: ""
        }
      throw LaunchError("opening the network namespace \(path)\(hint)", errno: error.errno)
    }
  }

  private init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }
}

/// A process that keeps new namespaces alive while they are opened. It is ended with this value.
private final class Holder {
  private var holder = launch_holder()

  /// The user namespace is owned by root of the map `owner`, or by the host's root when that is nil.
  init(users: Bool, network: Bool, owner: IDMap?) throws(LaunchError) {
    let flags = (users ? Kernel.newUsers : 0) | (network ? Kernel.newNetwork : 0)
    let error = launch_hold(flags, owner?.users.outer ?? 0, owner?.groups.outer ?? 0, &holder)
    if error == 0 { return }
    let what = [users ? "user" : nil, network ? "network" : nil].compactMap { $0 }.joined(separator: " and ")
    let hint = -error == ENOSPC ? " (see the sysctls user.max_user_namespaces and user.max_net_namespaces)" : ""
    let other = users ? "; without one, PrivateUsers=no, root in the guest is root on the host" : ""
    throw LaunchError("making the guest's \(what) namespace\(hint)\(other)", errno: Int32(-error))
  }

  deinit { launch_release(&holder) }

  func namespace(_ kind: String) throws(LaunchError) -> Namespace {
    let path = "/proc/\(holder.pid)/ns/\(kind)"
    do throws(SystemError) {
      return try Namespace(path)
    } catch {
      throw LaunchError("opening the guest's namespaces (\(error.call))", errno: error.errno)
    }
  }

  func write(_ map: IDMap) throws(LaunchError) {
    for (name, extent) in [("uid_map", map.users), ("gid_map", map.groups)] {
      let path = "/proc/\(holder.pid)/\(name)"
      let line = "\(extent.inner) \(extent.outer) \(extent.count)\n"
      do throws(SystemError) {
        try writeSetting(path, line)
      } catch {
        let ids = "\(extent.outer)…\(UInt64(extent.outer) + UInt64(max(extent.count, 1)) - 1)"
        throw LaunchError("mapping the guest's users to \(ids) (\(error.call))", errno: error.errno)
      }
    }
  }
}
