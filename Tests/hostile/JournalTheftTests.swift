import Foundation
import Glibc
import Testing

/// A guest that writes another guest's machine ID, or the host's, into its root.
@Suite("A guest that asks for the journal of another")
struct JournalTheftTests {
  private static func random() -> String {
    String((0..<32).map { _ in "0123456789abcdef".randomElement() ?? "f" })
  }

  @Test("a guest with the machine ID of another gets a journal of its own, whatever LinkJournal= it has")
  func others() throws {
    try World.with { world in
      let id = Self.random()
      let victims = "/var/lib/dormouse/journal/victim-\(world.name)"
      let entry = "/var/log/journal/\(id)"
      defer {
        _ = try? world.run("rm", "-rf", victims, entry)
        for mode in ["host", "auto", "guest"] { Self.forget("thief-\(mode)-\(world.name)", world) }
      }
      try world.addTiny(
        "victim-\(world.name)", "ListenStream=127.0.0.1:8001", settings: "MachineID=\(id)\n[Exec]\nLinkJournal=host")
      for (number, mode) in ["host", "auto", "guest"].enumerated() {
        let name = "thief-\(mode)-\(world.name)"
        try world.addTiny(name, "ListenStream=127.0.0.1:800\(number + 2)", settings: "[Exec]\nLinkJournal=\(mode)")
        try "\(id)\n".write(toFile: "\(world.root(of: name))/etc/machine-id", atomically: true, encoding: .utf8)
      }
      try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "write /var/log/journal/\(id)/secret treasure") == "ok")
      #expect(text(of: victims + "/secret") == "treasure")
      for port in 8002...8004 {
        let client = try world.connect("127.0.0.1:\(port)")
        #expect(try client.ask("read /var/log/journal/\(id)/secret").contains("No such file"))
        _ = try client.ask("write /var/log/journal/\(id)/secret forged")
      }
      #expect(text(of: victims + "/secret") == "treasure")
      #expect(try world.run("readlink", entry).output == victims + "\n")
      // Host users cannot come near the files, which belong to root.
      let outcome = try world.run(
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "ls", victims)
      #expect(outcome.errors.contains("Permission denied"))
    }
  }

  /// Removes what a guest has on the host.
  private static func forget(_ guest: String, _ world: World) {
    _ = try? world.run("rm", "-rf", "/var/lib/dormouse/journal/\(guest)")
    _ = try? world.run(
      "sh", "-c", "find /var/log/journal -maxdepth 1 -type l -lname \"*/$0*\" -delete", guest)
  }

  @Test("a guest without LinkJournal= has nothing of the host's journals")
  func byDefault() throws {
    try World.with { world in
      let id = Self.random()
      let directory = "/var/log/journal/\(id)"
      try require("mkdir", "-p", directory)
      defer { _ = try? world.run("rm", "-rf", directory) }
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      try "\(id)\n".write(toFile: world.root(of: "echo") + "/etc/machine-id", atomically: true, encoding: .utf8)
      try world.startDaemon()
      #expect(try world.ask("127.0.0.1:8001", "write /var/log/journal/\(id)/x y").contains("No such file"))
      #expect(names(in: directory) == [])
    }
  }
}
