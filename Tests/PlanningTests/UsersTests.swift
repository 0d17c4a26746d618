import GuestSpec
import Planning
import Testing

@Suite("The users of a guest")
struct UsersTests {
  private static let host = RootOwner(path: "/guests/web", user: 0, group: 0)
  private static let shifted = RootOwner(path: "/guests/web", user: 0x2_0000, group: 0x2_0000)
  private static let busy = RootOwner(path: "/guests/web", user: 0xFFFE_0000, group: 0xFFFE_0000)
  private static let refusal = MappingRefusal(fileSystem: "nfs", reason: "Invalid argument")

  private static func wish(
    _ users: PrivateUsers?, _ ownership: UsersOwnership? = nil, _ owner: RootOwner = host
  ) throws(UsersError) -> UsersWish? {
    var guest = Guest(name: "web")
    guest.exec.privateUsers = users
    guest.files.usersOwnership = ownership
    return try UsersWish.of(guest, owner: owner)
  }

  @Test("a guest gets the users of PrivateUsers=, and any free range without it")
  func wishes() throws {
    #expect(try Self.wish(.no) == nil)
    #expect(try Self.wish(.identity) == UsersWish(base: 0, ownership: .off))
    #expect(try Self.wish(.pick) == UsersWish(base: nil, ownership: .mapOrChown))
    #expect(try Self.wish(nil) == UsersWish(base: nil, ownership: .map))
    #expect(
      try Self.wish(.range(base: 0x3_0000, count: 10)) == UsersWish(base: 0x3_0000, count: 10, ownership: .mapOrLeave))
    #expect(try Self.wish(.owner, nil, Self.shifted) == UsersWish(base: 0x2_0000, ownership: .off))
    #expect(try Self.wish(.pick, .off) == UsersWish(base: nil, ownership: .off))
    let odd = RootOwner(path: "/guests/web", user: 0x2_0000, group: 0)
    #expect(throws: UsersError.rootHasNoRange(odd)) { try Self.wish(.owner, nil, odd) }
  }

  @Test(
    "the root is idmapped where possible, changes owners where necessary, and is unchanged where it is the guest's already"
  )
  func treatments() throws {
    let cases: [(PrivateUsers?, UsersOwnership?, RootOwner, MappingRefusal?, UsersWish.Treatment)] = [
      (.pick, nil, Self.host, nil, .map), (.pick, nil, Self.host, Self.refusal, .chown),
      (.pick, nil, Self.shifted, nil, .chown), (.pick, nil, Self.busy, nil, .chown),
      (.pick, .off, Self.host, nil, .leave), (.pick, .chown, Self.host, nil, .chown),
      (.pick, .map, Self.host, nil, .map),
      (nil, nil, Self.host, nil, .map), (nil, .chown, Self.host, nil, .chown), (.identity, nil, Self.host, nil, .leave),
      (.range(base: 0x3_0000, count: 65536), nil, Self.host, nil, .map),
      (.range(base: 0x3_0000, count: 65536), nil, Self.host, Self.refusal, .leave),
      (.range(base: 0x3_0000, count: 65536), nil, Self.shifted, nil, .leave),
    ]
    for (users, ownership, owner, refusal, treatment) in cases {
      let wish = try #require(try Self.wish(users, ownership, owner))
      let base = wish.base ?? 0x3_0000
      #expect(try wish.treatment(base: base, owner: owner, refusal: refusal) == treatment, "\(users) \(ownership)")
      let own = RootOwner(path: "/guests/web", user: base, group: base)
      #expect(try wish.treatment(base: base, owner: own, refusal: refusal) == .leave)
    }
  }

  @Test("a root whose change of owners was interrupted is not started by a guest that does not complete the change")
  func unfinished() throws {
    let others: [(PrivateUsers?, UsersOwnership?)] = [
      (.no, nil), (nil, nil), (.identity, nil), (.owner, nil), (.pick, .off), (.pick, .map),
      (.range(base: 0x3_0000, count: 65536), nil),
    ]
    for (users, ownership) in others {
      #expect(throws: UsersError.changeIsUnfinished(Self.busy), "\(users) \(ownership)") {
        try Self.wish(users, ownership, Self.busy)
      }
    }
    #expect(try Self.wish(.pick, nil, Self.busy) != nil && Self.wish(nil, .chown, Self.busy) != nil)
    #expect("\(UsersError.changeIsUnfinished(Self.busy))".contains("/guests/web was interrupted"))
  }

  @Test("an error about users names the file system, the path and a setting that would help")
  func refusals() throws {
    let map = try #require(try Self.wish(.pick, .map))
    let cannot = #expect(throws: UsersError.self) {
      try map.treatment(base: 0x3_0000, owner: Self.host, refusal: Self.refusal)
    }
    #expect(
      cannot?.description
        == "the nfs file system of /guests/web cannot be idmapped (Invalid argument); "
        + "write PrivateUsersOwnership=chown to change the owners of the files, or PrivateUsers=no")
    let shifted = #expect(throws: UsersError.self) {
      try map.treatment(base: 0x3_0000, owner: Self.shifted, refusal: nil)
    }
    #expect(
      shifted?.description
        == "/guests/web belongs to user 131072, so its owners cannot be mapped; write PrivateUsers=yes "
        + "for the range that it belongs to, or PrivateUsersOwnership=chown to change the owners")
    for path in ["/", "/usr"] {
      let host = RootOwner(path: path, user: 0, group: 0)
      let chown = try #require(try Self.wish(.pick, nil, host))
      #expect(throws: UsersError.hostIsNotGivenAway(host)) {
        try chown.treatment(base: 0x3_0000, owner: host, refusal: Self.refusal)
      }
    }
    #expect(
      UsersError.hostIsNotGivenAway(RootOwner(path: "/", user: 0, group: 0)).description
        == "the files of / are the host's own and their owners are not changed; write PrivateUsers=no")
    #expect(
      UsersError.rootHasNoRange(RootOwner(path: "/x", user: 1, group: 65536)).description
        == "PrivateUsers=yes takes the range that the root belongs to, but /x belongs to user 1 and group 65536, "
        + "which are not in the same range; write PrivateUsers=pick")
    #expect(
      UsersError.noFreeRange.description
        == "no free range of user IDs was found; write PrivateUsers=FIRST:COUNT for one")
  }

  @Test("a guest tries the same ranges of IDs at each start, and another guest tries others")
  func candidates() {
    let web = UserRange.candidates(owner: Self.host, name: "web")
    #expect(web == UserRange.candidates(owner: Self.host, name: "web"))
    #expect(Set(web).count > 90)
    for base in web {
      #expect((0x8_0000...0x6FFF_0000).contains(base))
      #expect(base % 65536 == 0)
    }
    let firsts = Set((0..<1000).map { UserRange.candidates(owner: Self.host, name: "web\($0)")[0] })
    #expect(firsts.count > 950)
    let own = RootOwner(path: "/x", user: 0x10_0000, group: 0x10_0000)
    #expect(UserRange.candidates(owner: own, name: "web") == [0x10_0000] + web)
    #expect(UserRange.candidates(owner: Self.shifted, name: "web") == web)
  }

  @Test("the IDs and ranges of the host's accounts are taken")
  func taken() {
    let taken = UserRange.taken(
      accounts: ["root:x:0:0:root:/root:/bin/sh\nodd\nfar:x:1000000:5:::\n"],
      subordinate: ["user:524288:65536\nbroken:1:2:3\nnone:5:0\n"])
    #expect(taken == [0...0, 1_000_000...1_000_000, 524_288...589_823])
  }

  @Test(
    "a subordinate range beyond the kernel's IDs is ignored",
    arguments: ["a:18446744073709551615:2", "a:18446744073709551614:4294967295", "a:4294967296:1"])
  func beyond(line: String) {
    #expect(UserRange.taken(accounts: [], subordinate: [line]) == [])
    #expect(UserRange.taken(accounts: [], subordinate: [line + "\nb:5:1\n"]) == [5...5])
  }
}
