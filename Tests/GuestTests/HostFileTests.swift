import ControlProtocol
import Foundation
import Testing

@Suite("Files of the host in a guest")
struct HostFileTests {
  /// Adds a Debian guest with a writable root, which is removed with the world.
  private func addDebian(_ world: World, _ settings: String, named name: String = "web") throws -> String {
    let root = world.directory + "/root"
    #expect(try world.run("cp", "--archive", "--reflink=auto", Payload.image("trixie"), root).succeeded)
    try world.addGuest(name, "[Guest]\nDirectory=\(root)\nIdleStopSec=infinity\n\(settings)")
    return root
  }

  @Test("the clock of a guest shows the host's time zone by a relative link, and it has the host's name servers")
  func etc() throws {
    try World.with { world in
      let root = try addDebian(world, "[Exec]\nResolvConf=replace-host\n[Files]\nVolatile=no")
      try world.startDaemon()
      try world.wake("web")
      let pid = try #require(try world.summary("web").pid)
      let host = try world.run("readlink", "/etc/localtime").output.components(separatedBy: "/zoneinfo/").last ?? ""
      #expect(try world.enter(pid, "readlink", "/etc/localtime").output == "../usr/share/zoneinfo/" + host)
      #expect(try world.enter(pid, "timedatectl", "show", "--property=Timezone").output == "Timezone=" + host)
      #expect(text(of: root + "/etc/resolv.conf") == text(of: "/etc/resolv.conf"))
    }
  }

  @Test(
    "the host keeps the journal of a guest on its disk, owned by root, and reads it while the guest runs and afterwards",
    arguments: ["no", "pick"])
  func journal(users: String) throws {
    try World.with { world in
      // The machine ID, and with it the directory, follows from the name.
      let name = "journal-\(users)-\(world.name)"
      _ = try addDebian(world, "[Exec]\nLinkJournal=host\nPrivateUsers=\(users)", named: name)
      try world.startDaemon()
      try world.wake(name)
      let id = try #require(try world.status(name).report?.machineID)
      let entry = "/var/log/journal/" + id
      let place = "/var/lib/dormouse/journal/" + name
      defer { _ = try? world.run("rm", "-rf", place, entry) }
      let pid = try #require(try world.summary(name).pid)
      #expect(
        try world.enter(pid, "sh", "-c", "logger -t dormouse-test heard; journalctl --sync; journalctl --flush")
          .succeeded)
      func read() throws -> Bool {
        try world.run("journalctl", "--directory=" + entry, "--output=cat", "-t", "dormouse-test").output == "heard\n"
      }
      #expect(try read())
      let owners = try world.run("find", place, "-printf", "%U\\n").output.split(separator: "\n")
      #expect(Set(owners) == ["0"])
      let inside = try world.enter(pid, "find", entry, "-printf", "%U\\n").output.split(separator: "\n")
      #expect(inside == owners)
      try world.sleep(name)
      #expect(try read())
    }
  }

  @Test("a guest does not start when something else is at the directory of its journal, and the message names it")
  func taken() throws {
    try World.with { world in
      let id = String((0..<32).map { _ in "0123456789abcdef".randomElement() ?? "f" })
      let place = "/var/log/journal/" + id
      #expect(try world.run("touch", place).succeeded)
      defer { _ = try? world.run("rm", "-f", place) }
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", settings: "MachineID=\(id)\n[Exec]\nLinkJournal=guest")
      try world.startDaemon()
      #expect(try world.dormouse("wake", "echo").errors.contains("\(place) is neither a directory nor a symbolic link"))
    }
  }

  @Test("a guest does not start with a resolv.conf that the host lacks, and the message names it")
  func noResolvConf() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001", settings: "[Exec]\nResolvConf=copy-uplink")
      try world.startDaemon()
      #expect(
        try world.dormouse("wake", "echo").errors.contains("ResolvConf= needs /run/systemd/resolve/resolv.conf"))
    }
  }

  @Test(
    "symbolic links in the root of a guest do not lead its setup out of that root",
    arguments: ["Volatile=no", "Volatile=overlay"])
  func links(volatile: String) throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001",
        settings: "[Exec]\nResolvConf=replace-host\nTimezone=copy\n[Files]\n\(volatile)")
      let outside = world.directory + "/outside"
      let root = world.directory + "/root-echo"
      #expect(
        try world.run("sh", "-c", "mkdir \(outside) && rmdir \(root)/etc && ln -s \(outside) \(root)/etc").succeeded)
      try world.startDaemon()
      _ = try world.dormouse("wake", "echo")
      #expect(names(in: outside) == [])
    }
  }
}
