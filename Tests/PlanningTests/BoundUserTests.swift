import GuestSpec
import Planning
import Testing

@Suite("BindUser=")
struct BoundUserTests {
  private static let ada = HostUser(
    name: "ada", uid: 1000, gid: 100, home: "/home/ada", shell: "/bin/\"zsh\\", password: Secret(Array("$y$hash".utf8)))

  @Test("BindUser= maps and mounts the home, and writes the records before /run/host becomes read-only")
  func golden() throws {
    let map = IDMap(
      users: IDMap.Extent(inner: 1000, outer: 60514, count: 1), groups: IDMap.Extent(inner: 100, outer: 60514, count: 1)
    )
    let changed = try planned { guest, facts in
      guest.files.bindUserShell = .hosts
      facts.boundUsers = [BoundUser(Self.ada, id: 60514)]
    }
    #expect(changed.preloaded == [.terminals, .mapping(map)])
    let expected = #"""
      + open (slot: 4, source: "/home/ada", attributes: [nosuid,nodev], recursive: true, optional: false)
      + map (slot: 4, users: 1, source: "/home/ada", recursive: false)
      + makeDirectory (path: "/run/host/home", mode: 0755)
      + makeDirectory (path: "/run/host/userdb", mode: 0755)
      + attach (slot: 4, source: "/home/ada", target: "/run/host/home/ada")
      + writeFile (path: "/run/host/userdb/ada.group", mode: 0444, contents: "{\"groupName\":\"ada\",\"gid\":60514,\"service\":\"io.dormouse.Manager\"}\n")
      + makeLink (path: "/run/host/userdb/60514.group", target: "ada.group")
      + writeFile (path: "/run/host/userdb/ada.user", mode: 0444, contents: "{\"userName\":\"ada\",\"uid\":60514,\"gid\":60514,\"homeDirectory\":\"/run/host/home/ada\",\"service\":\"io.dormouse.Manager\",\"shell\":\"/bin/\\\"zsh\\\\\"}\n")
      + makeLink (path: "/run/host/userdb/60514.user", target: "ada.user")
      + writeFile (path: "/run/host/userdb/ada.user-privileged", mode: 0400, contents: "{\"privileged\":{\"hashedPassword\":[\"$y$hash\"]}}\n")
      + makeLink (path: "/run/host/userdb/60514.user-privileged", target: "ada.user-privileged")
      """#
    #expect(changes(from: try planned(), to: changed).joined(separator: "\n") == expected)
    let all = lines(changed)
    let written = try #require(all.firstIndex { $0.contains("60514.user-privileged") })
    let sealed = try #require(all.firstIndex { $0.hasPrefix("change (path: \"/run/host\"") })
    #expect(written < sealed)
  }

  @Test(
    "a bound user's shell is the guest's default, the host's or a path, and without a password there is no privileged record"
  )
  func shells() throws {
    func records(_ shell: BindUserShell, _ change: (inout HostUser) -> Void = { _ in }) throws -> [String] {
      var user = Self.ada
      change(&user)
      return lines(
        try planned { guest, facts in
          guest.files.bindUserShell = shell
          facts.boundUsers = [BoundUser(user, id: 60515)]
        }
      ).filter { $0.contains("userdb/") }
    }
    #expect(try records(.none).contains { $0.contains("shell") } == false)
    #expect(try records(.path("/bin/ksh")).contains { $0.contains(#"\"shell\":\"/bin/ksh\""#) })
    #expect(try records(.none) { $0.password = nil }.contains { $0.contains("privileged") } == false)
  }

  @Test("a bound user's home is mapped to an ID of the guest's user namespace")
  func ownUsers() throws {
    let users = IDMap(base: 0x30_0000, count: 65536)
    let changed = try planned { _, facts in
      facts.users = GuestUsers(users, root: .tree)
      facts.boundUsers = [BoundUser(Self.ada, id: 60514)]
    }
    let extent = IDMap.Extent(inner: 1000, outer: 0x30_0000 + 60514, count: 1)
    let group = IDMap.Extent(inner: 100, outer: 0x30_0000 + 60514, count: 1)
    #expect(changed.preloaded.contains(.mapping(IDMap(users: extent, groups: group))))
  }

  @Test("mapping a bound user in a range that ends at the last ID does not overflow")
  func lastRange() {
    let user = BoundUser(Self.ada, id: 60514)
    #expect(user.map(in: IDMap(base: 0xFFFF_0000, count: 65535)).users.outer == 0xFFFF_0000 + 60514)
    #expect(user.map(in: IDMap(base: .max, count: 1)).groups.outer == 60513)
  }

  @Test("each bound user gets an ID that is free in the guest")
  func numbers() throws {
    var grace = Self.ada
    grace.name = "grace"
    let found = try BoundUser.numbered(
      [Self.ada, grace], passwd: "root:x:0:0::/root:/bin/sh\nx:x:60514:1::/:\n", group: "y:x:60515:\nbroken\n",
      count: nil)
    #expect(found.map(\.id) == [60516, 60517])
    #expect(found.map(\.home) == ["/run/host/home/ada", "/run/host/home/grace"])
  }

  @Test("a user that cannot be bound is refused with a reason")
  func refused() {
    func refusal(
      passwd: String = "", group: String = "", count: UInt32? = nil, _ change: (inout HostUser) -> Void = { _ in }
    ) -> String {
      var user = Self.ada
      change(&user)
      do throws(BindUserError) {
        _ = try BoundUser.numbered([user], passwd: passwd, group: group, count: count)
        return ""
      } catch {
        return error.description
      }
    }
    #expect(refusal() == "")
    #expect(refusal { $0.uid = 0 }.contains("a system user, with the ID 0"))
    #expect(refusal { $0.uid = 65534 }.contains("the user nobody"))
    #expect(refusal(passwd: "ada:x:7:7::/:\n").contains("the guest has a user ada of its own"))
    #expect(refusal(group: "ada:x:7:\n").contains("the guest has a group ada of its own"))
    #expect(refusal(count: 60514).contains("the guest has 60514 users by PrivateUsers="))
    #expect(refusal { $0.home = "//" }.contains("// is not a home"))
    let full = BoundUser.ids.map { "u\($0):x:\($0):1::/:\n" }.joined()
    #expect(refusal(passwd: full).contains("from 60514 to 60577"))
  }
}
