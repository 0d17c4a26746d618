import Glibc
import GuestSpec
import Linux
import Systemd
import Testing

@testable import Listeners

@Suite("A scan of a guest's sockets")
struct SocketScanTests {
  private let fixture: ListenersFixture
  private let listeners: GuestListeners
  private let ended: EndedConnections
  private let scan: SocketScan

  init() throws {
    fixture = try ListenersFixture()
    listeners = fixture.listeners()
    _ = try listeners.bind(fixture.guest([.stream, .datagram], path: "web"))
    ended = EndedConnections(loop: fixture.loop)
    scan = SocketScan(fixture.diag, ended, listeners: listeners, idleStop: .seconds(60))
  }

  private var tcp: Listener { listeners.all[0] }
  private var udp: Listener { listeners.all[1] }
  private var unix: Listener { listeners.all[2] }

  @Test("A scan of sockets without clients finds nobody")
  func nobody() throws {
    let found = try scan.scan()
    #expect(!found.usage.inUse && found.connections.isEmpty && found.waiting.isEmpty)
    #expect(scan.tally.accepted == 0)
  }

  @Test("A scan finds a client that is queued, and the moment when it was first found once it is accepted")
  func connection() throws {
    let client = try fixture.client(of: tcp)
    let queued = try scan.scan()
    #expect(queued.usage.inUse && queued.connections.map(\.queued) == [true])
    #expect(queued.waiting.map(\.count) == [1] && queued.waiting.first?.listener === tcp)
    let connection = try fixture.accept(from: tcp.descriptor)
    let accepted = try scan.scan()
    #expect(accepted.usage.inUse && accepted.connections.map(\.queued) == [false] && accepted.waiting.isEmpty)
    #expect(accepted.connections.first?.since == queued.connections.first?.since)
    #expect(accepted.connections.first?.socket == tcp.address)
    #expect(accepted.connections.first?.remote != nil)
    _ = try scan.scan()
    #expect(scan.tally.accepted == 1)
    withExtendedLifetime((client.raw, connection.raw)) {}
  }

  @Test("A scan finds a client of an AF_UNIX path, whose end the kernel does not report")
  func path() throws {
    let client = try fixture.client(of: unix)
    #expect(try scan.scan().waiting.first?.listener === unix)
    do {
      let connection = try fixture.accept(from: unix.descriptor)
      let found = try scan.scan()
      #expect(found.usage.inUse && !found.usage.endIsAnnounced && found.connections.count == 1)
      _ = consume connection
    }
    _ = consume client
    #expect(try eventually { try !scan.scan().usage.inUse })
  }

  @Test("A scan finds a datagram that is queued, and the moment when it came once it is read")
  func datagram() throws {
    // The kernel stamps what comes after the first question.
    _ = try scan.scan()
    let client = try fixture.client(of: udp)
    #expect(write(client.raw, "x", 1) == 1)
    let waiting = try scan.scan()
    #expect(waiting.usage.inUse && waiting.waiting.first?.listener === udp)
    try fixture.takeClient(of: udp)
    let read = try scan.scan()
    #expect(!read.usage.inUse && read.waiting.isEmpty)
    #expect(try #require(read.usage.lastDatagram).age < .seconds(60))
  }

  @Test("Who only looks gets what the last scan found, if that was much, and a new scan otherwise")
  func look() throws {
    let busy = SocketScan(fixture.diag, ended, listeners: listeners, idleStop: .seconds(60), many: 2)
    let first = try fixture.client(of: tcp)
    #expect(try busy.look().connections.count == 1)
    let second = try fixture.client(of: tcp)
    #expect(try busy.look().connections.count == 2)
    let third = try fixture.client(of: tcp)
    #expect(try busy.look().connections.count == 2)
    #expect(try busy.scan().connections.count == 3)
    #expect(try scan.look().connections.count == 3)
    withExtendedLifetime(first.raw) {}
    withExtendedLifetime(second.raw) {}
    withExtendedLifetime(third.raw) {}
  }

  @Test("Thousands of clients that wait at a path are counted")
  func longQueue() throws {
    var clients: [Int32] = []
    defer { for raw in clients { close(raw) } }
    // The kernel has room for net.core.somaxconn, at least 4096 since Linux 5.4.
    for _ in 0..<3000 { clients.append(try fixture.client(of: unix).release()) }
    let found = try scan.scan()
    #expect(found.usage.inUse && found.waiting.map(\.count) == [3000])
    #expect(unix.queued(fixture.diag) == 3000)
  }

  @Test("A guest is in use while somebody sits at its console")
  func attended() throws {
    scan.isAttended = { true }
    let usage = try scan.scan().usage
    #expect(usage.inUse && !usage.endIsAnnounced && usage.silence == nil)
  }

  @Test("The kernel reports which connections ended, and which of them were never answered")
  func ends() throws {
    var told: [[TCPConnection]?] = []
    try ended.notify("web", of: scan.servedPorts) { told.append($0) }
    try ended.notify("mail", of: [1]) { _ in Issue.record("another guest's connection was reported") }
    for (answer, unanswered) in [("", 1), ("x", 0)] {
      told = []
      do {
        let client = try fixture.client(of: tcp)
        let connection = try fixture.accept(from: tcp.descriptor)
        #expect(answer.isEmpty || write(connection.raw, answer, 1) == 1)
        _ = consume connection
        _ = consume client
      }
      #expect(
        eventually {
          ended.drain()
          return !told.isEmpty
        })
      #expect(scan.recordEnded(told.compactMap { $0 }.flatMap { $0 }) == unanswered)
    }
    #expect((scan.tally.accepted, scan.tally.unanswered) == (2, 1))
    // What is not the guest's is none of its ends.
    #expect(scan.recordEnded([]) == nil)
    ended.forget("web")
    told = []
    _ = try fixture.client(of: tcp)
    _ = try fixture.accept(from: tcp.descriptor)
    ended.drain()
    #expect(told.isEmpty)
  }

  /// Whether something comes to hold: the kernel may be a moment late.
  private func eventually<Failure>(_ condition: () throws(Failure) -> Bool) throws(Failure) -> Bool {
    let end = ContinuousClock.now + .seconds(30)
    while try !condition() {
      guard ContinuousClock.now < end else { return false }
      poll(nil, 0, 5)
    }
    return true
  }
}
