import GuestSpec
import Planning
import Testing

@Suite("What the plan of a launch makes in a root")
struct RootGoldenTests {
  @Test("what the top of a root lacks is made before the root becomes read-only")
  func missing() throws {
    func change(_ facts: inout StartFacts) {
      facts.rootFiles.missing.directories = ["etc", "root"]
      facts.rootFiles.missing.links = [TopLevelLink("bin", to: "usr/bin")]
    }
    let changed = try planned { guest, facts in
      guest.files.readOnly = true
      change(&facts)
    }
    let paths = ["\"/etc\"", "\"/root\"", "\"/bin\"", "\"/\", set"]
    let steps = lines(changed).filter { line in paths.contains { line.contains("(path: " + $0) } }
    #expect(
      steps == [
        "makeDirectory (path: \"/etc\", mode: 0755)", "makeDirectory (path: \"/root\", mode: 0700)",
        "makeLink (path: \"/bin\", target: \"usr/bin\")", "change (path: \"/\", set: [ro], recursive: true)",
      ])
  }

  @Test("a mount below /sys is attached before the guest's /sys becomes read-only, one on /sys itself afterwards")
  func belowSys() throws {
    func steps(_ target: String) throws -> [String] {
      let changed = try planned { guest, _ in
        guest.files.mounts = [
          .bind(source: "/x", destination: target, readOnly: true, recursive: true, optional: false)
        ]
      }
      return lines(changed).compactMap { line in
        line.hasPrefix("attach ") && line.contains("\"\(target)\"")
          ? "attached"
          : line.hasPrefix("change ") && line.contains("\"/sys\"") ? "read-only" : nil
      }
    }
    #expect(try steps("/sys/module") == ["attached", "read-only"])
    #expect(try steps("/sys") == ["read-only", "attached"])
  }
}
