import GuestSpec
import Planning
import Testing

@Suite("The plan of a guest in a user namespace")
struct UsersGoldenTests {
  private static func planned(
    root: GuestUsers.RootMapping = .tree, _ change: (inout Guest, inout StartFacts) -> Void = { _, _ in }
  ) throws(PlanError) -> LaunchPlan {
    try PlanningTests.planned { guest, facts in
      facts.users = GuestUsers(IDMap(base: 0x30_0000, count: 65536), root: root)
      change(&guest, &facts)
    }
  }

  @Test(
    "the plan with a user namespace makes files as the guest's root, maps the root, and leaves the other steps to the first process"
  )
  func crossing() throws {
    let all = lines(try Self.planned())
    let expected = [
      "setUmask 0", "actAsRoot (user: 3145728, group: 3145728)", "propagate (Propagation.slave, path: \"/\")",
      "open (slot: 1, source: \"/guests/web\", attributes: [nodev], recursive: true, optional: false)",
      "map (slot: 1, users: 1, source: \"/guests/web\", recursive: true)",
      "attach (slot: 1, source: \"/guests/web\", target: \"/run/staging\")",
    ]
    #expect(Array(all.prefix(expected.count)) == expected)
    let crossing = try #require(all.firstIndex { $0.hasPrefix("cross ") })
    #expect(
      Array(all[(crossing - 3)...(crossing + 5)]) == [
        "propagate (Propagation.shared, path: \"/\")", "makeDirectory (path: \"/run/.proc\", mode: 00)",
        "mount (type: \"proc\", target: \"/run/.proc\", flags: [nosuid,nodev,noexec], data: \"\", optional: false)",
        "cross (slot: users, pin: \"/run/.proc\")", "starting a session", "making a session keyring",
        "mount (type: \"proc\", target: \"/proc\", flags: [nosuid,nodev,noexec], data: \"\", optional: false)",
        "unmounting the host's proc",
        "rebind (path: \"/proc/sys\", set: [ro,nosuid,nodev,noexec], clear: [], optional: false)",
      ])
    // The host's side mounts file systems for the guest's root; those that show namespaces are mounted inside these.
    for line in all[..<crossing] where line.contains("type: \"tmpfs\"") {
      #expect(line.contains(",uid=3145728,gid=3145728\""), "\(line)")
    }
    for type in ["cgroup2", "mqueue"] {
      #expect(all.lastIndex { $0.contains("type: \"\(type)\"") }.map { $0 > crossing } == true)
    }
    #expect(all.lastIndex { $0.contains("type: \"sysfs\"") }.map { $0 < crossing } == true)
    // The first process is alone when it is moved to its cgroup, and the namespaces that show it are made after that.
    let moved = try #require(all.firstIndex(of: "waiting for the guest's cgroup"))
    #expect(all.firstIndex(of: "unmounting the host's proc").map { $0 < moved } == true)
    #expect(all[moved + 1] == "making a cgroup namespace" && all[moved + 2].contains("type: \"cgroup2\""))
  }

  @Test("without idmapping the plan opens the root as for any guest, and names the guest's users all the same")
  func unmapped() throws {
    #expect(!lines(try Self.planned(root: .none)).contains { $0.hasPrefix("map ") })
    #expect(try Self.planned(root: .none).users == IDMap(base: 0x30_0000, count: 65536))
    #expect(try PlanningTests.planned().crosses == false)
    #expect(try Self.planned().crosses)
  }

  @Test("Volatile=overlay maps the root as a lower layer, and Volatile=yes maps its /usr")
  func volatiles() throws {
    let overlay = lines(try Self.planned { guest, _ in guest.files.volatile = .overlay })
    #expect(overlay.contains("map (slot: 1, users: 1, source: \"/guests/web\", recursive: false)"))
    #expect(overlay.contains("attach (slot: 1, source: \"/guests/web\", target: \"/run/staging/lower\")"))
    #expect(overlay.contains { $0.contains("lowerdir=/run/staging/lower,") })
    let yes = lines(try Self.planned { guest, _ in guest.files.volatile = .yes })
    #expect(yes.contains("map (slot: 1, users: 1, source: \"/guests/web/usr\", recursive: true)"))
  }

  @Test("a bind mount is mapped as its option says, and a tmpfs belongs to the guest's users")
  func mounts() throws {
    let one = IDMap(
      users: IDMap.Extent(inner: 33, outer: 0x30_0000, count: 1),
      groups: IDMap.Extent(inner: 33, outer: 0x30_0000, count: 1))
    let plain = try Self.planned()
    let changed = try Self.planned { guest, facts in
      guest.files.mounts = [
        .bind(source: "/a", destination: "/a", readOnly: false, recursive: true, optional: false),
        .bind(source: "/b", destination: "/b", readOnly: true, recursive: false, optional: false, owners: .idmap),
        .bind(source: "/c", destination: "/c", readOnly: false, recursive: true, optional: false, owners: .rootidmap),
        .temporaryFileSystem(path: "/t", options: "mode=0700,uid=3"),
      ]
      facts.bindMaps = ["/c": one]
    }
    #expect(changed.preloaded == [.terminals, .users, .mapping(one)])
    #expect(
      changes(from: plain, to: changed).filter { $0.contains("+ map") || $0.contains("/t") } == [
        "+ map (slot: 5, users: 1, source: \"/b\", recursive: false)",
        "+ map (slot: 6, users: 2, source: \"/c\", recursive: true)",
        "+ makeDirectory (path: \"/t\", mode: 0755)",
        "+ mount (type: \"tmpfs\", target: \"/t\", flags: [nodev,strictatime], data: "
          + "\"mode=0700,uid=3145731,gid=3145728\", optional: false)",
      ])
  }
}
