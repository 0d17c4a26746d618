import GuestSpec
import Linux
import Planning

extension StartFacts {
  /// Finds the users of `BindUser=`. The guest's own users must be known already.
  ///
  /// - Throws: `BoundUsersError`.
  public mutating func findBoundUsers(
    for guest: Guest, in namespaces: GuestNamespaces
  ) throws(BoundUsersError) {
    let hosts = try Self.hostUsers(guest.files.bindUsers)
    if hosts.isEmpty { return }
    let (passwd, group): (String?, String?)
    do throws(SystemError) {
      passwd = try Self.database("passwd", of: guest, inRoot: root)
      group = try Self.database("group", of: guest, inRoot: root)
    } catch {
      throw .system(error)
    }
    var found: [BoundUser]
    do throws(BindUserError) {
      found = try BoundUser.numbered(hosts, passwd: passwd, group: group, count: users?.map.users.count)
    } catch {
      throw .user(error)
    }
    for index in found.indices {
      found[index].mapsBelow = try mapsBelow(found[index], in: namespaces)
    }
    boundUsers = found
  }

  /// Reads the entries of the host's user database, each once.
  private static func hostUsers(_ names: [String]) throws(BoundUsersError) -> [HostUser] {
    var hosts: [HostUser] = []
    for name in names where !hosts.contains(where: { $0.name == name }) {
      let entry: UserEntry?
      do throws(SystemError) { entry = try UserEntry(named: name) } catch { throw .system(error) }
      guard let entry else { throw .user(.unknown(name)) }
      // Only modular crypt(5) hashes begin with "$". Traditional DES hashes are obsolete, and "!" and "*" lock an account.
      let password = entry.password.flatMap { $0.first == UInt8(ascii: "$") ? Secret($0) : nil }
      hosts.append(
        HostUser(
          name: name, uid: entry.uid, gid: entry.gid, home: entry.home, shell: entry.shell, password: password))
    }
    return hosts
  }

  /// Whether the mounts below the home of `user` can translate owners as well as the home's own.
  private func mapsBelow(_ user: BoundUser, in namespaces: GuestNamespaces) throws(BoundUsersError) -> Bool {
    let host = user.host
    guard (try? FileStatus(host.home, followingLinks: true))?.kind == .directory else {
      throw .user(.noHome(host.name, home: host.home))
    }
    let map: Namespace
    do throws(LaunchError) { map = try namespaces.namespace(of: user.map(in: users?.map)) } catch {
      throw .launch(error)
    }
    do throws(MappingError) {
      return try namespaces.mapping(of: host.home, by: map, recursive: true) == .tree
    } catch {
      switch error {
      case .refused(let refusal): throw .user(.homeCannotBeMapped(host.name, home: host.home, refusal))
      case .system(let error): throw .system(error)
      }
    }
  }
}
