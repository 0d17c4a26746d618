import GuestSpec
import Planning
import Testing

@Suite("The plan of what a guest shares with its host")
struct HostSideGoldenTests {
  @Test("SetCredential= and LoadCredential= add a mount and a variable to the plan, and none of their bytes")
  func credentials() throws {
    let changed = try planned { guest, facts in
      guest.policy.credentials = [Credential("id", .value(Secret(Array("hidden".utf8))))]
      facts.hostSide.mounts = [.credentials]
    }
    let steps = changes(from: try planned { _, facts in facts.hostSide.mounts = [.unixExport] }, to: changed)
    let expected = """
      - attach (slot: unixExport, source: "the exported sockets", target: "/run/host/unix-export")
      + attach (slot: credentials, source: "the credentials", target: "/run/host/credentials")
      """
    #expect(steps.joined(separator: "\n") == expected)
    #expect(changed.environment.contains(EnvironmentVariable("CREDENTIALS_DIRECTORY", "/run/host/credentials")))
    #expect(!"\(changed)".contains("hidden"))
    #expect(try planned().environment.contains { $0.name == "CREDENTIALS_DIRECTORY" } == false)
  }

  @Test("the directory for incoming mounts and the cover of /proc/kmsg come from the host")
  func incoming() throws {
    let changed = try planned { _, facts in
      facts.hostSide.incoming = "/run/dormouse/propagate/web"
      facts.hostSide.kernelMessages = "/run/dormouse/web.kmsg"
    }
    let expected = """
      + open (slot: 4, source: "/run/dormouse/propagate/web", attributes: [ro,nosuid], recursive: false, \
      optional: false)
      + open (slot: 5, source: "/run/dormouse/web.kmsg", attributes: [nosuid,nodev,noexec], recursive: false, \
      optional: false)
      + attach (slot: 4, source: "/run/dormouse/propagate/web", target: "/run/host/incoming")
      + attach (slot: 5, source: "/run/dormouse/web.kmsg", target: "/run/host/proc-kmsg")
      + bindOwn (source: "/run/host/proc-kmsg", target: "/proc/kmsg", attributes: [nosuid,nodev,noexec], recursive: \
      false, optional: false)
      """
    #expect(changes(from: try planned(), to: changed).joined(separator: "\n") == expected)
  }
}
