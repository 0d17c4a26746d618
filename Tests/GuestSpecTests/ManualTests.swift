import Foundation
import Testing

@testable import GuestSpec

@Suite("The manual pages")
struct ManualTests {
  static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../man")

  static let supported: [(section: String, keys: Set<String>)] = [
    ("Exec", keys(Settings.exec)), ("Files", keys(Settings.files)), ("Network", keys(Settings.network)),
    ("Socket", keys(Settings.socket)), ("Guest", keys(Settings.guest)),
  ]

  static func keys<Target>(_ table: [Setting<Target>]) -> Set<String> {
    Set(table.filter { $0.expects != nil }.map(\.key))
  }

  @Test("every supported setting has a row in dormouse.guest(5), and every row has a setting")
  func rows() throws {
    let manual = try Manual(text: String(contentsOf: Self.directory.appending(path: "dormouse.guest.5")))
    for (section, keys) in Self.supported {
      let all = try #require(Settings.sections.first { $0.name == section }).keys
      let rows = manual.rows["[\(section.uppercased())] SECTION", default: []]
      #expect(Set(rows).count == rows.count, "[\(section)] has a row twice")
      #expect(keys.subtracting(rows).isEmpty, "[\(section)] lacks these rows")
      #expect(Set(rows).subtracting(all).isEmpty, "[\(section)] has rows of no setting")
      let others = Set(manual.rows["In [\(section)]", default: []])
      #expect(others.isSubset(of: all.subtracting(keys)), "[\(section)]: these are supported, or not settings")
      #expect(others.isDisjoint(with: rows), "[\(section)]: these are in both lists")
    }
  }

  @Test("every setting of the daemon has a row in dormoused.conf(5), and every row has a setting")
  func daemonRows() throws {
    let manual = try Manual(text: String(contentsOf: Self.directory.appending(path: "dormoused.conf.5")))
    #expect(manual.rows["\"[DAEMON] SECTION\""].map { Set($0) } == Self.keys(Settings.daemon))
  }

  @Test(
    "groff finds no mistake in a manual page",
    arguments: ["dormouse.1", "dormouse.guest.5", "dormoused.8", "dormoused.conf.5"])
  func markup(page: String) throws {
    let groff = Process()
    groff.executableURL = URL(filePath: "/usr/bin/env")
    groff.arguments = ["groff", "-man", "-ww", "-z", "-rCHECKSTYLE=3", Self.directory.appending(path: page).path]
    let complaints = Pipe()
    groff.standardError = complaints
    try groff.run()
    let text = String(decoding: complaints.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    groff.waitUntilExit()
    #expect(text == "" && groff.terminationStatus == 0)
  }
}

/// The settings that a man(7) page describes: the words of paragraph tags that end in `=`, by the heading above them.
struct Manual {
  private(set) var rows: [String: [String]] = [:]

  init(text: String) {
    var heading = ""
    var isTag = false
    for line in text.split(separator: "\n") {
      if line.hasPrefix(".SH ") || line.hasPrefix(".SS ") { heading = String(line.dropFirst(4)) }
      if isTag {
        let words = line.split(separator: " ").filter { $0.hasSuffix("=") && $0.first?.isUppercase == true }
        rows[heading, default: []] += words.map { String($0.dropLast()) }
      }
      isTag = line == ".TP" || line == ".TQ"
    }
  }
}
