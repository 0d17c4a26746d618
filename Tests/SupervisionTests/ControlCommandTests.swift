import ControlProtocol
import Glibc
import Linux
import Testing

@testable import Supervision

@Suite("The dormouse command")
struct ControlCommandTests {
  @Test("prints a table for a person, and an array for a program")
  func list() async throws {
    try await withControlDaemon { daemon, runtime in
      let table = try dormouse("list", "--runtime", runtime)
      #expect(table.output == "GUEST  STATE  SINCE  CONNECTIONS  WAKES  PID  SOCKETS\n")
      let json = try dormouse("list", "--json", "--runtime", runtime)
      #expect(json.output == "[\n\n]\n")
      #expect(await daemon.calls == [.list, .list])
    }
  }

  @Test("asks the guest's own daemon before the common one, and lists the guests of all")
  func ownDaemon() async throws {
    try await withControlDaemon { common, runtime in
      try await withControlDaemon(in: "\(runtime)/web") { own, _ in
        await own.add(GuestSummary(name: "web", state: .active, since: Timestamp(microseconds: 0)))
        await common.add(GuestSummary(name: "web", state: .failed, since: Timestamp(microseconds: 0)))
        await common.add(GuestSummary(name: "mail", state: .inactive, since: Timestamp(microseconds: 0)))
        let lines = try dormouse("list", "--runtime", runtime).output.split(separator: "\n")
        #expect(
          lines.map { $0.split(separator: " ").prefix(2).joined(separator: " ") } == [
            "GUEST STATE", "mail inactive", "web active",
          ])
        #expect(try dormouse("status", "web", "--runtime", runtime).status == 0)
        #expect(try dormouse("status", "mail", "--runtime", runtime).status == 0)
        #expect(await own.calls == [.list, .status(name: "web", console: false)])
        #expect(await common.calls == [.list, .status(name: "mail", console: false)])
      }
    }
  }

  @Test("shows a console only when asked, and JSON with a null where there is nothing")
  func status() async throws {
    try await withControlDaemon { _, runtime in
      let plain = try dormouse("status", "web", "--json", "--runtime", runtime)
      #expect(plain.output.contains(#""console" : null"#))
      #expect(plain.output.contains(#""pid" : null"#))
      let console = try dormouse("status", "web", "--console", "--runtime", runtime)
      #expect(console.output.hasSuffix("\n" + String(repeating: "a", count: 64 * 1024) + "\n"))
    }
  }

  @Test("returns from wake when the guest is ready, and from sleep when it has stopped", arguments: ["wake", "sleep"])
  func waits(verb: String) async throws {
    try await withControlDaemon { daemon, runtime in
      async let result = daemon.client { try dormouse(verb, "web", "--runtime", runtime) }
      await daemon.called(1)
      await daemon.answer(.done)
      let ending = try await result
      #expect(ending == CommandResult(status: 0, output: "", errors: ""))
    }
  }

  @Test("prints why it failed and what to do, with an exit status for each kind of failure")
  func failures() async throws {
    try await withControlDaemon { daemon, runtime in
      let unknown = try dormouse("why", "web", "--runtime", runtime)
      #expect(unknown.errors == "dormouse: there is no guest web; `dormouse list` shows the guests\n")
      #expect(unknown.status == 1)

      async let refused = daemon.client { try dormouse("wake", "web", "--runtime", runtime) }
      await daemon.called(2)
      await daemon.answer(.failure(.wakeFailed(name: "web", reason: "no\u{1B}[2J root")))
      #expect(try await refused.errors.hasPrefix("dormouse: cannot wake web: no root; "))
      #expect(try await refused.status == 1)

      async let dropped = daemon.client { try dormouse("wake", "web", "--runtime", runtime) }
      await daemon.called(3)
      await daemon.close()
      #expect(try await dropped.errors.contains("closed the connection before it replied"))
      #expect(try await dropped.status == 1)

      let nobody = try dormouse("list", "--runtime", runtime)
      #expect(
        nobody.errors
          == "dormouse: no daemon listens at \(runtime)/io.dormouse; start dormoused, or set --runtime\n")
      #expect(nobody.status == 69)
      #expect(try dormouse("wake", "web", "--runtime", runtime).status == 69)
    }
    #expect(try dormouse("wake").status == 64)
    #expect(try dormouse("wake", "../x").status == 64)
  }
}
