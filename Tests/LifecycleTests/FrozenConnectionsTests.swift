import Lifecycle
import Testing

@Suite("The connections with which a guest was frozen")
struct FrozenConnectionsTests {
  private let unread: FrozenConnections.Unread = [1: 0, 2: 5]

  @Test("A guest whose clients send nothing stays frozen until its time has passed, and is scanned each second")
  func silent() {
    let frozen = FrozenConnections(unread, reported: false, until: .seconds(60))
    #expect(frozen.judge(unread, at: .zero) == .rescan(after: .seconds(1)))
    #expect(frozen.judge(unread, at: .milliseconds(59_600)) == .rescan(after: .milliseconds(400)))
    #expect(frozen.judge(unread, at: .seconds(60)) == .thaw)
  }

  @Test(
    "A guest is thawed by what a client sends, by a client that leaves and by a new one",
    arguments: [[1: 1, 2: 5], [1: 0, 2: 6], [1: 0], [1: 0, 2: 5, 3: 0], [:]] as [FrozenConnections.Unread])
  func changed(found: FrozenConnections.Unread) {
    let frozen = FrozenConnections(unread, reported: false, until: .seconds(60))
    #expect(frozen.judge(found, at: .seconds(1)) == .thaw)
  }

  @Test("A guest is not scanned while the kernel reports what its clients send")
  func reported() {
    let frozen = FrozenConnections(unread, reported: true, until: .seconds(60))
    #expect(frozen.judge(unread, at: .zero) == .rescan(after: .seconds(60)))
  }

  @Test("A guest with many connections is scanned less often")
  func many() {
    let unread = FrozenConnections.Unread(uniqueKeysWithValues: (0..<18_000).map { ($0, 0) })
    let frozen = FrozenConnections(unread, reported: false, until: .seconds(600))
    #expect(frozen.judge(unread, at: .zero) == .rescan(after: .seconds(18)))
  }
}
