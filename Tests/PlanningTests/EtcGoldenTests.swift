import GuestSpec
import Planning
import Testing

@Suite("The plan of the files that a guest's /etc takes from the host")
struct EtcGoldenTests {
  /// A guest whose /etc has both files, on a host in the time zone Europe/Berlin.
  private func planned(_ change: (inout Guest, inout StartFacts) -> Void = { _, _ in }) throws -> LaunchPlan {
    try PlanningTests.planned { guest, facts in
      facts.etc.timezone = "Europe/Berlin"
      facts.etc.localtime = [0, 1]
      facts.etc.resolvConf = HostEtc.HostFile(path: "/etc/resolv.conf", contents: [2])
      facts.etc.guest.exists = true
      facts.etc.guest.hasTimezone = true
      facts.etc.guest.localtime = .file
      facts.etc.guest.resolvConf = .file
      guest.exec.integration.timezone = .off
      guest.exec.integration.resolvConf = .off
      change(&guest, &facts)
    }
  }

  private func changed(_ change: (inout Guest, inout StartFacts) -> Void) throws -> [String] {
    changes(from: try planned(), to: try planned(change)).map { $0.replacing(/slot: \d+/, with: "slot: N") }
      .filter { !$0.contains("\"/run/dormouse/web.notify\"") && !$0.contains("\"/etc/os-release\"") }
  }

  private static let link = "+ replaceLink (path: \"/etc/localtime\", target: \"../usr/share/zoneinfo/Europe/Berlin\", "
  private static let bind = [
    "+ open (slot: N, source: \"/etc/localtime\", attributes: [ro,nosuid,nodev,noexec], recursive: false, optional: true)",
    "+ attach (slot: N, source: \"/etc/localtime\", target: \"/etc/localtime\")",
  ]

  @Test("each mode of Timezone= has its steps, and auto depends on the host and the root")
  func timezone() throws {
    func steps(_ mode: Timezone, _ change: (inout Guest, inout StartFacts) -> Void = { _, _ in }) throws -> [String] {
      try changed { guest, facts in
        guest.exec.integration.timezone = mode
        change(&guest, &facts)
      }
    }
    #expect(try steps(.symlink) == [Self.link + "lenient: false)"])
    #expect(try steps(.auto) == [Self.link + "lenient: true)"])
    #expect(try steps(.auto) { $1.etc.guest.localtime = .link(target: "../usr/share/zoneinfo/Europe/Berlin") } == [])
    #expect(try steps(.auto) { $1.etc.guest.exists = false } == [])
    #expect(try steps(.auto) { $1.etc.guest.localtime = .other } == [])
    #expect(try steps(.auto) { $1.etc.guest.hasTimezone = false } == [])
    let copy = "+ replaceFile (path: \"/etc/localtime\", mode: 0644, contents: [0, 1], keepsLink: false, lenient: "
    #expect(try steps(.auto) { $1.etc.timezone = nil } == [copy + "true)"])
    #expect(try steps(.copy) == [copy + "false)"])
    #expect(try steps(.bind) == Self.bind)
    let readOnly = ["+ change (path: \"/\", set: [ro], recursive: true)"]
    #expect(try Set(steps(.auto) { guest, _ in guest.files.readOnly = true }) == Set(Self.bind + readOnly))
    #expect(try steps(.delete) == ["+ remove (path: \"/etc/localtime\")"])
  }

  @Test("each mode of ResolvConf= has its steps, and auto depends on the network and the root")
  func resolvConf() throws {
    func steps(_ mode: ResolvConf, _ change: (inout Guest, inout StartFacts) -> Void = { _, _ in }) throws -> [String] {
      try changed { guest, facts in
        guest.exec.integration.resolvConf = mode
        change(&guest, &facts)
      }
    }
    func write(_ keepsLink: Bool, _ lenient: Bool) -> [String] {
      let contents = "mode: 0644, contents: [2], keepsLink: \(keepsLink), lenient: \(lenient))"
      return ["+ replaceFile (path: \"/etc/resolv.conf\", " + contents]
    }
    #expect(try steps(.auto) == write(true, true))
    #expect(try steps(.copy(.host)) == write(true, false))
    #expect(try steps(.replace(.host)) == write(false, false))
    #expect(try steps(.auto) { $1.etc.resolvConf = nil } == [])
    #expect(try steps(.auto) { $1.etc.guest.exists = false } == [])
    #expect(try !steps(.auto) { guest, _ in guest.network.isPrivate = true }.contains { $0.contains("resolv.conf") })
    let link = HostEtc.Entry.link(target: "../run/resolv.conf")
    #expect(try steps(.copy(.host)) { $1.etc.guest.resolvConf = link } == [])
    #expect(try steps(.replace(.host)) { $1.etc.guest.resolvConf = link } == write(false, false))
    #expect(
      try steps(.bind(.host)) == [
        "+ open (slot: N, source: \"/etc/resolv.conf\", attributes: [ro,nosuid,nodev,noexec], recursive: false, "
          + "optional: false)", "+ attach (slot: N, source: \"/etc/resolv.conf\", target: \"/etc/resolv.conf\")",
      ])
    #expect(try steps(.delete) == ["+ remove (path: \"/etc/resolv.conf\")"])
  }

  @Test("a Timezone= or ResolvConf= that cannot be applied adds a note to the plan, and the guest starts")
  func notes() throws {
    #expect(
      try planned { guest, facts in
        guest.exec.integration.timezone = .symlink
        facts.etc.guest.hasTimezone = false
        guest.exec.integration.resolvConf = .copy(.host)
        facts.etc.guest.resolvConf = .link(target: "x")
      }.notes == [.timezoneMissing("Europe/Berlin"), .resolvConfIsLink])
    #expect(
      try planned { guest, facts in
        guest.exec.integration.timezone = .symlink
        facts.etc.timezone = nil
      }.notes == [.hostTimezoneUnknown])
  }

  @Test("LinkJournal= binds the host's directory, or makes the guest's directory that the host links to")
  func journal() throws {
    let place = "/var/log/journal/00112233445566778899aabbccddeeff"
    #expect(
      try changed { $1.hostSide.journal = .hosts(directory: place) } == [
        "+ open (slot: N, source: \"\(place)\", attributes: [nosuid,nodev,noexec], recursive: false, optional: false)",
        "+ attach (slot: N, source: \"\(place)\", target: \"\(place)\")",
      ])
    #expect(try changed { $1.hostSide.journal = .linked } == ["+ makeDirectory (path: \"\(place)\", mode: 0755)"])
  }
}
