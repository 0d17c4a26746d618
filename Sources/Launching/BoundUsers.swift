import GuestSpec
import Linux
import Planning

extension StartFacts {
  /// Finds the users of `BindUser=`, once the guest's own are known.
  ///
  /// - Throws: `BindUserError`; `LaunchError` when there is no user namespace to be had, `SystemError` when this host's users cannot
  ///   be looked up.
  public mutating func findBoundUsers(for guest: Guest, in namespaces: GuestNamespaces) throws {
    var hosts: [HostUser] = []
    for name in guest.files.bindUsers where !hosts.contains(where: { $0.name == name }) {
      guard let entry = try UserEntry(named: name) else { throw BindUserError.unknown(name) }
      // DES and the like are no longer taken for passwords, and ! and * lock an account.
      let password = entry.password.flatMap { $0.first == UInt8(ascii: "$") ? Secret($0) : nil }
      hosts.append(
        HostUser(
          name: name, uid: entry.uid, gid: entry.gid, home: entry.home, shell: entry.shell, password: password))
    }
    var found = try BoundUser.numbered(
      hosts, passwd: Self.database("passwd", of: guest, inRoot: root),
      group: Self.database("group", of: guest, inRoot: root), count: users?.map.users.count)
    for index in found.indices {
      let host = found[index].host
      guard (try? FileStatus(host.home, followingLinks: true))?.kind == .directory else {
        throw BindUserError.noHome(host.name, home: host.home)
      }
      do {
        found[index].mapsBelow = try namespaces.mapping(of: host.home, by: found[index].map(in: users?.map)) == .tree
      } catch let refusal as MappingRefusal {
        throw BindUserError.homeCannotBeMapped(host.name, home: host.home, refusal)
      }
    }
    boundUsers = found
  }
}
