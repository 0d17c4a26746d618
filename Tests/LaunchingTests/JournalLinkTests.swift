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
    JournalLink(
      mode, entry: "/j/id", kept: "/k/web", guests: "/g/j/id", isHostsID: isHostsID, isKept: isKept, place: place)
  }

  private func words(_ link: JournalLink) -> String? {
    if case .refuse(let error) = link.decision { error.description } else { nil }
  }

  @Test("LinkJournal= decides by its mode and by what the host has at the entry")
  func decisions() {
    let (kept, guests) = (JournalLink.Place.link(target: "/k/web"), JournalLink.Place.link(target: "/g/j/id"))
    #expect(link(.no, .directory).decision == .leave)
    #expect(link(.auto, kept).decision == .bind(replaces: kept))
    #expect(link(.auto, guests).decision == .link(replaces: guests))
    for place in [JournalLink.Place.missing, .directory, .link(target: "/k/other")] {
      #expect(link(.auto, place).decision == .leave)
    }
    for mode in [LinkJournal.host, .tryHost] {
      for place in [JournalLink.Place.missing, .directory, kept, guests] {
        #expect(link(mode, place).decision == .bind(replaces: place))
      }
    }
    // The guest had another machine ID when this was made.
    for place in [JournalLink.Place.missing, .directory, kept, guests, .link(target: "/g/j/other")] {
      for mode in [LinkJournal.guest, .tryGuest] { #expect(link(mode, place).decision == .link(replaces: place)) }
    }
  }

  @Test(
    "LinkJournal= refuses with a reason, and with try- leaves the host as it is", arguments: [LinkJournal.host, .guest])
  func refusals(mode: LinkJournal) {
    let others = JournalLink.Place.link(target: "/k/other")
    #expect(words(link(mode, .mountPoint)) == "LinkJournal=: /j/id is a mount point")
    #expect(words(link(mode, .other)) == "LinkJournal=: /j/id is neither a directory nor a symbolic link")
    #expect(words(link(mode, others))?.contains("leads to /k/other, which is not of this guest") == true)
    #expect(words(link(mode, .missing, isHostsID: true))?.contains("this host's own machine ID") == true)
    #expect(words(link(mode, .missing, isKept: false))?.contains("make /var/log/journal") == true)
    for attempt in [LinkJournal.tryHost, .tryGuest, .auto] {
      #expect(link(attempt, .mountPoint).decision == .leave)
      #expect(link(attempt, others).decision == .leave)
      #expect(link(attempt, .missing, isHostsID: true).decision == .leave)
      #expect(link(attempt, .missing, isKept: false).decision == .leave)
    }
  }

  @Test("LinkJournal= makes directories and links, closes what is above them, and removes no journals")
  func acts() throws {
    let scratch = try ScratchDirectory(named: "journal")
    let (entry, guests) = (scratch.path + "/entry", scratch.path + "/guest")
    let kept = scratch.path + "/kept/web"
    func act(_ mode: LinkJournal, _ place: JournalLink.Place) throws(JournalError) -> Journal {
      try JournalLink(
        mode, entry: entry, kept: kept, guests: guests, isHostsID: false, isKept: true, place: place
      ).prepare()
    }
    #expect(try act(.host, .missing) == .hosts(directory: kept))
    #expect(try readLink(entry) == kept)
    #expect(try SafePath(kept).isReachable(exceptBy: 0, whenOpened: true) == false)
    chmod(scratch.path + "/kept", 0o755)
    #expect(try act(.host, .link(target: kept)) == .hosts(directory: kept))
    #expect(try SafePath(kept).isReachable(exceptBy: 0, whenOpened: true) == false)
    #expect(try act(.guest, .link(target: kept)) == .linked)
    #expect(try readLink(entry) == guests)
    #expect(try FileStatus(kept, followingLinks: false).kind == .directory)
    removeFile(entry)
    try makeDirectories(entry)
    try writeFile(entry + "/system.journal", "log")
    let words =
      "LinkJournal=: \(entry) is not empty; move its files to \(kept), where the host keeps this guest's journal, and remove it"
    let error = #expect(throws: JournalError.self) { try act(.host, .directory) }
    #expect(error?.description == words)
    #expect(try act(.tryGuest, .directory) == .guests)
    removeFile(entry + "/system.journal")
    #expect(try act(.guest, .directory) == .linked)
    #expect(try readLink(entry) == guests)
  }
}
