import ControlProtocol
import Foundation
import Testing

@Suite("Directories that guest and host share")
struct HostSideTests {
  @Test("systemd in a guest shows credentials, and a unit gets them", arguments: ["bookworm", "trixie", "sid"])
  func credentials(image: String) throws {
    try World.with { world in
      try "from a file".write(toFile: world.directory + "/secret", atomically: true, encoding: .utf8)
      try world.addDebian(
        "web", image: image, DebianTests.hello,
        settings: """
          [Guest]
          SetCredential=greeting:hel\\x6co
          LoadCredential=filed:\(world.directory)/secret
          """)
      let daemon = try world.startDaemon()
      try world.wake("web")
      let pid = try #require(try world.summary("web").pid)
      let list = try world.enter(pid, "systemd-creds", "--system", "list").output
      #expect(list.contains("greeting") && list.contains("filed"), "\(list)")
      let unit = try world.enter(
        pid, "systemd-run", "--quiet", "--pipe", "--wait", "-p", "LoadCredential=greeting", "-p",
        "LoadCredential=filed",
        "sh", "-c", "cat $CREDENTIALS_DIRECTORY/greeting $CREDENTIALS_DIRECTORY/filed")
      #expect(unit.output == "hellofrom a file", "\(unit.errors)")
      // The value is neither in output of the daemon nor in its files.
      #expect(!daemon.log.contains("from a file"))
      let kept = try world.run("grep", "-r", "--", "from a file", world.runtime)
      #expect(kept.output == "")
      #expect(
        try !world.run(Built.dormouse, "status", "web", "--json", "--runtime", world.runtime).output.contains(
          "from a file"))
    }
  }

  @Test("a guest does not start when the file of a credential is missing, and the message names it")
  func missingCredential() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "LoadCredential=key:/nonexistent")
      try world.startDaemon()
      let failure = try world.dormouse("wake", "echo")
      #expect(
        failure.errors.contains("credential key: open /nonexistent: No such file or directory"), "\(failure.errors)")
      #expect(names(in: world.runtime + "/unix-export") == [])
    }
  }

  @Test(
    "the host reaches a socket that a guest exports, and its mount is removed when the guest or a killed daemon ends"
  )
  func unixExport() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "write /run/host/unix-export/note here") == "ok")
      let note = world.runtime + "/unix-export/echo/note"
      #expect(text(of: note) == "here")
      daemon.child.signal(SIGKILL)
      _ = daemon.child.wait()
      #expect(text(of: note) == "here")
      try world.startDaemon()
      try world.sleep("echo")
      #expect(names(in: world.runtime + "/unix-export") == [])
      #expect(names(in: world.runtime + "/propagate") == [])
    }
  }

  @Test("a mount in the incoming directory of a guest on the host arrives in its /run/host/incoming")
  func incoming() throws {
    try World.with { world in
      // The runtime directory must be on a shared mount, as /run is under systemd.
      for arguments in [["--bind", world.runtime, world.runtime], ["--make-shared", world.runtime]] {
        #expect(try world.run(["mount"] + arguments).succeeded)
      }
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      let place = world.runtime + "/propagate/echo"
      #expect(try world.run("mount", "-t", "tmpfs", "none", place).succeeded)
      try "arrived".write(toFile: place + "/note", atomically: true, encoding: .utf8)
      #expect(try world.ask("127.0.0.1:8001", "read /run/host/incoming/note") == "arrived")
      #expect(try world.run("umount", place).succeeded)
    }
  }
}
