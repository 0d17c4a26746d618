import Foundation
import Glibc
import Testing

/// A user of the host exchanges what a guest file names for a link to something of root's.
@Suite("A host user who exchanges a file by a link")
struct LinkTests {
  private static let user: uid_t = 4711

  /// Makes a home of the user, and a directory with a secret that only root may read.
  private static func makeHome(_ world: World) throws -> (home: String, secret: String) {
    let (home, secret) = (world.directory + "/home", world.directory + "/secret")
    for path in [home + "/www", secret] { try require("mkdir", "-p", path) }
    try "root's own".write(toFile: secret + "/key", atomically: true, encoding: .utf8)
    chmod(secret, 0o700)
    try require("chown", "-R", "\(user):\(user)", home)
    return (home, secret)
  }

  /// What the user does to his own directory.
  private static func exchange(_ path: String, for target: String) {
    rename(path, path + ".old")
    symlink(target, path)
    lchown(path, user, user)
  }

  @Test(
    "a guest does not get what a user led a bind mount to, and it is told whose link that is",
    arguments: ["Bind=%:/www:idmap", "Bind=%:/www", "BindReadOnly=-%:/www", "Overlay=%::/www"])
  func binds(setting: String) throws {
    try World.with { world in
      let (home, secret) = try Self.makeHome(world)
      let www = home + "/www"
      try world.addTiny(
        "web", "ListenStream=127.0.0.1:8001",
        settings: "[Files]\n" + setting.replacingOccurrences(of: "%", with: www))
      try world.addTiny("neighbour", "ListenStream=127.0.0.1:8002")
      try world.startDaemon()
      try world.wake("web")
      try world.sleep("web")
      Self.exchange(www, for: secret)
      let outcome = try world.dormouse("wake", "web")
      #expect(
        outcome.errors.contains("(a link of user 4711 leads to a file of user 0; let it belong to root"),
        "\(outcome.errors)")
      #expect(try world.ask("127.0.0.1:8002", "hello") == "hello")
      // A link to his own files is the user's own affair.
      unlink(www)
      Self.exchange(www, for: "www.old")
      try world.wake("web")
    }
  }

  @Test("a socket in a user's directory is neither made nor replaced where the user led the directory to")
  func socket() throws {
    try World.with { world in
      let (home, secret) = try Self.makeHome(world)
      try world.addTiny("web", "ListenStream=\(home)/www/web.sock\nRemoveOnStop=yes")
      try world.addTiny("neighbour", "ListenStream=127.0.0.1:8002")
      // A socket of root's that nobody serves any more.
      try require("python3", "-c", "import socket; socket.socket(socket.AF_UNIX).bind('\(secret)/web.sock')")
      Self.exchange(home + "/www", for: secret)
      let daemon = try world.startDaemon()
      try daemon.waitForLog("(a link of user 4711 leads to a file of user 0; let it belong to root")
      #expect(try world.ask("127.0.0.1:8002", "hello") == "hello")
      _ = try daemon.stop()
      #expect(names(in: secret).sorted() == ["key", "web.sock"])
      // With the directory back in its place it is the user's own affair.
      unlink(home + "/www")
      rename(home + "/www.old", home + "/www")
      try world.startDaemon()
      #expect(try world.ask("\(home)/www/web.sock", "hello") == "hello")
    }
  }

  @Test(
    "a guest does not start when a user led its root, a credential or its network namespace elsewhere",
    arguments: ["Directory=%", "LoadCredential=key:%", "[Network]\nNamespacePath=%"])
  func others(setting: String) throws {
    try World.with { world in
      let (home, secret) = try Self.makeHome(world)
      let path = home + "/link"
      let target =
        switch setting.first {
        case "D": try world.makeTinyRoot("web")
        case "L": secret + "/key"
        default: "/run/netns/" + world.name
        }
      Self.exchange(path, for: target)
      try world.addTiny(
        "web", "ListenStream=127.0.0.1:8001", settings: setting.replacingOccurrences(of: "%", with: path))
      try world.startDaemon()
      let outcome = try world.dormouse("wake", "web")
      #expect(outcome.errors.contains("a link of user 4711 leads to a file of user 0"), "\(outcome.errors)")
    }
  }
}
