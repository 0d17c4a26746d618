import GuestSpec
import Planning
import Testing

@Suite("The plan of overlays")
struct OverlayGoldenTests {
  private func changed(_ change: (inout Guest, inout StartFacts) -> Void) throws -> [String] {
    changes(
      from: try planned { _, facts in facts.hostSide.scratch = "/scratch" },
      to: try planned {
        $1.hostSide.scratch = "/scratch"
        change(&$0, &$1)
      })
  }

  @Test("Overlay= opens its layers on the host, mounts them in a temporary place, and the last layer takes the changes")
  func overlay() throws {
    let expected = """
      + open (slot: 4, source: "/a", attributes: [], recursive: false, optional: false)
      + open (slot: 5, source: "/b", attributes: [], recursive: false, optional: false)
      + makeDirectory (path: "/run/.layers", mode: 0700)
      + mount (type: "tmpfs", target: "/run/.layers", flags: [nosuid,nodev,noexec], data: "mode=0700", optional: false)
      + attach (slot: 4, source: "/a", target: "/run/.layers/0")
      + attach (slot: 5, source: "/b", target: "/run/.layers/1000")
      + makeDirectory (path: "/run/.layers/1000/.up.dormouse-work", mode: 0700)
      + makeDirectory (path: "/dst", mode: 0755)
      + mount (type: "overlay", target: "/dst", flags: [], data: \
      "lowerdir=/own:/run/.layers/0,upperdir=/run/.layers/1000/up,workdir=/run/.layers/1000/.up.dormouse-work", optional: \
      false)
      + detach (path: "/run/.layers")
      """
    let found = try changed { guest, _ in
      guest.files.mounts = [
        .overlay(layers: [.host("/a"), .own("/own"), .host("/b/up")], destination: "/dst", readOnly: false)
      ]
    }
    #expect(found.joined(separator: "\n") == expected)
  }

  @Test("OverlayReadOnly= makes an overlay without an upper layer")
  func readOnly() throws {
    let found = try changed { guest, _ in
      guest.files.mounts = [.overlay(layers: [.own("/x"), .own("/y:z")], destination: "/dst", readOnly: true)]
    }
    #expect(
      found.contains {
        $0.contains(#"target: "/dst", flags: [ro], data: "lowerdir=/y\\:z:/x", optional: false"#)
      }, "\(found)")
  }

  @Test("the changes of Overlay=+/x::/x go to a new scratch directory")
  func temporary() throws {
    let found = try changed { guest, _ in
      guest.files.mounts = [.overlay(layers: [.own("/x"), .temporary], destination: "/x", readOnly: false)]
    }
    #expect(found.first == "+ makeDirectory (path: \"/scratch/0\", mode: 0755)")
    #expect(
      found.contains { $0.contains("lowerdir=/x,upperdir=/run/.layers/1000/upper,workdir=/run/.layers/1000/work") })
  }

  @Test("a temporary layer below another one is an empty directory of the host")
  func temporaryBelow() throws {
    let found = try changed { guest, _ in
      guest.files.mounts = [.overlay(layers: [.temporary, .own("/x")], destination: "/dst", readOnly: true)]
    }
    #expect(found.first == "+ makeDirectory (path: \"/scratch/0\", mode: 0755)")
    #expect(found.contains { $0.contains("lowerdir=/x:/run/.layers/0\"") }, "\(found)")
  }

  @Test("Bind=+ binds a directory of the guest's own root")
  func bindOwn() throws {
    let found = try changed { guest, _ in
      guest.files.mounts = [.bindOwn(source: "/a", destination: "/b", readOnly: true, recursive: true, optional: true)]
    }
    #expect(found == [#"+ bindOwn (source: "/a", target: "/b", attributes: [ro], recursive: true, optional: true)"#])
  }

  @Test("with Ephemeral=yes changes go to a directory on the host's disk, and with Volatile= it changes nothing")
  func ephemeral() throws {
    let expected = """
      - open (slot: 1, source: "/guests/web", attributes: [nodev], recursive: true, optional: false)
      - attach (slot: 1, source: "/guests/web", target: "/run/staging")
      + makeDirectory (path: "/scratch/0", mode: 0755)
      + makeDirectory (path: "/scratch/0/upper", mode: 0755)
      + makeDirectory (path: "/scratch/0/work", mode: 0755)
      + mount (type: "overlay", target: "/run/staging", flags: [nodev], data: \
      "lowerdir=/guests/web,upperdir=/scratch/0/upper,workdir=/scratch/0/work", optional: false)
      """
    let found = try changed { guest, _ in guest.exec.root.ephemeral = true }
    #expect(
      found.filter { !$0.contains("os-release") && !$0.contains("web.notify") }.joined(separator: "\n") == expected)
    let volatile = try planned { guest, _ in guest.files.volatile = .state }
    #expect(
      changes(
        from: volatile,
        to: try planned {
          $0.files.volatile = .state
          $0.exec.root.ephemeral = true
          $1.hostSide.scratch = nil
        }) == [])
  }
}
