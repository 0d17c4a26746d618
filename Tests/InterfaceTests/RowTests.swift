import Testing

@testable import Interface

@Suite("The rows of the Container Interface")
struct RowTests {
  /// The rows that an observation cannot show, or that do not apply to the sample.
  static let unobservable: Set = ["EE-2f", "EE-2h", "EE-7c", "FU-2", "WM-5"]

  @Test("no two rows of the Container Interface have the same ID, and each names its requirement")
  func names() {
    #expect(Set(Row.all.map(\.id)).count == Row.all.count)
    #expect(Row.all.allSatisfy { !$0.requirement.isEmpty })
  }

  @Test("every row holds for a guest that conforms to the Container Interface")
  func good() {
    for row in Row.all where !Self.unobservable.contains(row.id) {
      #expect(row.judge(.good) == .holds, "\(row.id)")
    }
  }

  @Test("for a guest of which nothing was observed, only rows about things that must be absent hold")
  func nothing() {
    let holding = Row.all.filter { $0.judge(Observation(name: "")) == .holds }.map(\.id)
    #expect(
      holding == [
        "EE-2g", "EE-8a", "EE-8b", "EV-2b", "EV-4a", "AI-6x", "RH-12", "DN-3", "DN-4", "DN-5", "DN-6", "DN-8", "WM-6",
      ])
  }

  @Test("a row is missed by a guest that does not satisfy it", arguments: flaws.indices)
  func missed(index: Int) throws {
    let (id, spoil) = Self.flaws[index]
    var seen = Observation.good
    spoil(&seen)
    let row = try #require(Row.all.first { $0.id == id })
    guard case .missed(let why) = row.judge(seen) else {
      Issue.record("\(id): \(row.judge(seen))")
      return
    }
    #expect(!why.isEmpty)
  }

  @Test("every row that can be missed has a flawed guest that misses it")
  func flawless() {
    let shown = Set(Self.flaws.map(\.0))
    let rows = Set(Row.all.map(\.id)).subtracting([
      "EE-2h", "EE-7c", "FU-1", "FU-2", "RH-9", "WM-5", "WM-6", "AI-2a", "AI-4b",
    ])
    #expect(rows.subtracting(shown).isEmpty)
  }

  @Test("a row that does not apply to a guest is not missed by it")
  func notApplicable() throws {
    var seen = Observation.good
    seen.host = Observation.Host()
    seen.process.ownNamespaces = []
    seen.process.userMap = [UserRange(inside: 0, outside: 0, count: 4_294_967_295)]
    seen.mounts.removeAll { $0.target == "/proc/sys/net" }
    seen.daemon.sockets = 0
    seen.files["/run/systemd/container"] = nil
    seen.process.environment["CREDENTIALS_DIRECTORY"] = nil
    for id in ["EE-2c", "EE-2e", "EE-4a", "AI-1a", "AI-4a", "NW-1a", "RH-7", "FU-1", "FW-1", "WM-1"] {
      let row = try #require(Row.all.first { $0.id == id })
      guard case .notApplicable = row.judge(seen) else {
        Issue.record("\(id): \(row.judge(seen))")
        continue
      }
    }
  }
}
