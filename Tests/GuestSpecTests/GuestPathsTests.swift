import Testing

@testable import GuestSpec

@Suite("Which file of the host a path of the guest is")
struct GuestPathsTests {
  private static func host(_ root: String, _ below: String) -> GuestPaths.Place { .host(root: root, below: below) }

  @Test(
    "a path of the guest is found in the root that Volatile= makes",
    arguments: [
      (.no, "/etc/fstab", host("/r", "etc/fstab")), (.no, "/", host("/r", "")), (.no, "/var/x", host("/r", "var/x")),
      (.no, "/run/systemd/system", .nothing), (.no, "/dev/null", .nothing), (.no, "/running", host("/r", "running")),
      (.overlay, "/etc/fstab", host("/r", "etc/fstab")), (.state, "/etc/fstab", host("/r", "etc/fstab")),
      (.state, "/var/lib", .nothing), (.yes, "/usr/lib/x", host("/r/usr", "lib/x")), (.yes, "/usr", host("/r/usr", "")),
      (.yes, "/etc/fstab", .nothing), (.yes, "/var", .link(root: "/r", below: "var")),
      (.yes, "/lib", .link(root: "/r", below: "lib")), (.yes, "/lib/x", .nothing), (.yes, "/", .nothing),
    ] as [(Volatile, String, GuestPaths.Place)])
  func roots(volatile: Volatile, path: String, place: GuestPaths.Place) {
    #expect(GuestPaths(directory: "/r", volatile: volatile).place(of: path) == place)
  }

  @Test("a path of a guest in the host's root with Volatile=yes is found below /usr")
  func ownRoot() {
    let paths = GuestPaths(directory: "/", volatile: .yes)
    #expect(paths.place(of: "/usr/lib/x") == .host(root: "/usr", below: "lib/x"))
  }

  @Test("the deepest mount decides what is at a path, and of two mounts on one directory the later")
  func mounts() {
    var paths = GuestPaths(directory: "/r", volatile: .no)
    paths.mount("/x/units", at: "/etc/systemd/system")
    paths.mount(nil, at: "/etc/systemd/system/a")
    paths.mount("/x/run", at: "/run/systemd/system")
    #expect(paths.place(of: "/etc/systemd/system/h.socket") == .host(root: "/x/units", below: "h.socket"))
    #expect(paths.place(of: "/etc/systemd/system") == .host(root: "/x/units", below: ""))
    #expect(paths.place(of: "/etc/systemd/system/a/b") == .nothing)
    #expect(paths.place(of: "/etc/systemd/systems") == .host(root: "/r", below: "etc/systemd/systems"))
    #expect(paths.place(of: "/run/systemd/system/x") == .host(root: "/x/run", below: "x"))
    #expect(paths.mountPoints(in: "/etc/systemd/system") == ["a"])
    paths.mount(nil, at: "/etc/systemd/system")
    #expect(paths.place(of: "/etc/systemd/system/h.socket") == .nothing)
  }

  @Test("the mounts of [Files] are ordered from the shallowest to the deepest")
  func order() {
    var files = FilesSettings()
    files.mounts = ["/a/b/c", "/a", "/a/b", "/d"].map { .inaccessible(path: $0) }
    #expect(files.mountsByDepth.map(\.destination) == ["/a", "/d", "/a/b", "/a/b/c"])
  }
}
