import Glibc
import GuestSpec
import Linux
import Planning
import Testing

@testable import Launching

@Suite("LinkJournal=")
struct JournalLinkTests {
  private func link(
    _ mode: LinkJournal, _ place: JournalLink.Place, isHostsID: Bool = false, isKept: Bool = true
  ) -> JournalLink {
    JournalLink(mode, directory: "/j/id", guests: "/g/j/id", isHostsID: isHostsID, isKept: isKept, place: place)
  }

  @Test("LinkJournal= decides by its mode and by what the host has at the path")
  func decisions() {
    let (ours, others) = (JournalLink.Place.link(target: "/g/j/id"), JournalLink.Place.link(target: "/x"))
    #expect(link(.no, .directory).decision == .leave)
    #expect(link(.auto, .directory).decision == .bind(makes: false, removesLink: false))
    #expect(link(.auto, .missing).decision == .leave)
    #expect(link(.auto, ours).decision == .link(replaces: ours))
    #expect(link(.auto, others).decision == .leave)
    for mode in [LinkJournal.host, .tryHost] {
      #expect(link(mode, .missing).decision == .bind(makes: true, removesLink: false))
      #expect(link(mode, ours).decision == .bind(makes: true, removesLink: true))
    }
    for mode in [LinkJournal.guest, .tryGuest] {
      for place in [JournalLink.Place.missing, .directory, ours, others] {
        #expect(link(mode, place).decision == .link(replaces: place))
      }
    }
  }

  @Test(
    "LinkJournal= refuses with a reason, and with try- leaves the host as it is", arguments: [LinkJournal.host, .guest])
  func refusals(mode: LinkJournal) {
    func words(_ link: JournalLink) -> String? {
      if case .refuse(let error) = link.decision { error.description } else { nil }
    }
    #expect(words(link(mode, .mountPoint)) == "LinkJournal=: /j/id is a mount point")
    #expect(words(link(mode, .other)) == "LinkJournal=: /j/id is neither a directory nor a symbolic link")
    #expect(words(link(mode, .missing, isHostsID: true))?.contains("this host's machine ID") == true)
    #expect(words(link(mode, .missing, isKept: false))?.contains("make /var/log/journal") == true)
    for attempt in [LinkJournal.tryHost, .tryGuest, .auto] {
      #expect(link(attempt, .mountPoint).decision == .leave)
      #expect(link(attempt, .missing, isHostsID: true).decision == .leave)
      #expect(link(attempt, .missing, isKept: false).decision == .leave)
    }
  }

  @Test("LinkJournal= makes directories and links, replaces links, and removes no journals")
  func acts() throws {
    let scratch = try ScratchDirectory(named: "journal")
    let (directory, guests) = (scratch.path + "/host", scratch.path + "/guest")
    func act(_ mode: LinkJournal, _ place: JournalLink.Place) throws(JournalError) -> Journal {
      try JournalLink(mode, directory: directory, guests: guests, isHostsID: false, isKept: true, place: place)
        .prepare()
    }
    #expect(try act(.host, .missing) == .hosts(directory: directory))
    #expect(try FileStatus(directory, followingLinks: false).kind == .directory)
    try writeFile(directory + "/system.journal", "log")
    let words =
      "LinkJournal=: \(directory) is not empty, so it cannot be replaced by a link to the guest's journals; move its files away"
    let error = #expect(throws: JournalError.self) { try act(.guest, .directory) }
    #expect(error?.description == words)
    #expect(try act(.tryGuest, .directory) == .guests)
    removeFile(directory + "/system.journal")
    #expect(try act(.guest, .directory) == .linked)
    #expect(try readLink(directory) == guests)
    #expect(try act(.host, .link(target: guests)) == .hosts(directory: directory))
    #expect(try FileStatus(directory, followingLinks: false).kind == .directory)
  }
}
