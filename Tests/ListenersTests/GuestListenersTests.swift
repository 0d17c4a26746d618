import Glibc
import GuestSpec
import Linux
import Systemd
import Testing

@testable import Listeners

@Suite("The sockets of a guest")
struct GuestListenersTests {
  private let fixture: ListenersFixture

  init() throws { fixture = try ListenersFixture() }

  @Test("Every address of the guest's files is bound, in their order, and a client of each is noticed")
  func bound() throws {
    let guest = fixture.guest([.stream, .datagram], path: "web")
    let listeners = fixture.listeners()
    #expect(try listeners.bind(guest).isEmpty)
    #expect(listeners.all.map(\.listen) == guest.sockets[0].listen)
    #expect(listeners.all.map { $0.name(in: "web") } == ["web.socket", "web.socket", "web.socket"])
    for listener in listeners.all {
      #expect(listeners.awaited == nil)
      let client = try fixture.client(of: listener)
      #expect(write(client.raw, "x", 1) == 1)
      #expect(listeners.awaited === listener)
      try fixture.takeClient(of: listener)
    }
  }

  @Test("A socket that is still asked for stays the same, and one that is not is closed")
  func changed() throws {
    let listeners = fixture.listeners()
    var guest = fixture.guest([.stream, .stream], path: "web")
    guest.sockets[0].file.removeOnStop = true
    _ = try listeners.bind(guest)
    let inodes = listeners.all.map(\.inode)
    #expect(try listeners.bind(guest).isEmpty)
    #expect(listeners.all.map(\.inode) == inodes)
    // Another section is another socket; the first of these is asked for no longer at all.
    let path = fixture.path("web")
    guest.sockets[0].listen.removeFirst()
    guest.sockets[0].backlog = 7
    _ = try listeners.bind(guest)
    #expect(listeners.all.map(\.listen) == guest.sockets[0].listen)
    #expect(Set(listeners.all.map(\.inode)).isDisjoint(with: inodes))
    #expect(access(path, F_OK) == 0)
    guest.sockets = []
    _ = try listeners.bind(guest)
    #expect(listeners.all.isEmpty && access(path, F_OK) != 0)
  }

  @Test("A socket that a guest has shut down listens again, at the same port")
  func repaired() throws {
    let listeners = fixture.listeners()
    let guest = fixture.guest([.stream])
    _ = try listeners.bind(guest)
    let listener = try #require(listeners.all.first)
    try shutDown(listener.descriptor)
    #expect(throws: SystemError.self) { try fixture.client(of: listener) }
    #expect(try listeners.bind(guest).map(\.address) == [listener.address])
    _ = try fixture.client(of: listener)
    #expect(listeners.awaited === listener)
  }

  @Test("A path that somebody took away is bound anew")
  func lostPath() throws {
    let listeners = fixture.listeners()
    let guest = fixture.guest([], path: "web")
    _ = try listeners.bind(guest)
    let before = listeners.all.map(\.inode)
    unlink(fixture.path("web"))
    #expect(try listeners.bind(guest).count == 1)
    #expect(listeners.all.map(\.inode) != before)
    _ = try fixture.client(of: try #require(listeners.all.first))
  }

  @Test("An address that another program has is an error that names it, and the sockets before it stay open")
  func taken() throws {
    let listeners = fixture.listeners()
    let guest = fixture.guest([.stream, .stream])
    let other = try openListener(.stream, SocketAddress(guest.sockets[0].listen[1].address))
    let error = #expect(throws: SystemError.self) { try listeners.bind(guest) }
    #expect(error?.errno == EADDRINUSE)
    #expect(error?.call.contains(guest.sockets[0].listen[1].address.description) == true)
    _ = consume other
    #expect(listeners.all.count == 1)
    let first = listeners.all[0].inode
    _ = try listeners.bind(guest)
    #expect(listeners.all.count == 2 && listeners.all[0].inode == first)
  }

  @Test("An address that is asked for twice is bound once")
  func twice() throws {
    var guest = fixture.guest([.stream, .stream])
    guest.sockets[0].listen[1] = guest.sockets[0].listen[0]
    guest.sockets.append(guest.sockets[0])
    let listeners = fixture.listeners()
    for _ in 1...2 {
      _ = try listeners.bind(guest)
      #expect(listeners.all.count == 1)
    }
  }

  @Test("A client that connects is reported while the sockets are watched, and not after that")
  func watched() throws {
    let listeners = fixture.listeners()
    _ = try listeners.bind(fixture.guest([.stream]))
    let listener = try #require(listeners.all.first)
    var told = 0
    try listeners.watch(fixture.loop, fixture.diag) { [loop = fixture.loop] found in
      #expect(found === listener)
      told += 1
      listeners.stopWatching()
      loop.exit()
    }
    let client = try fixture.client(of: listener)
    try fixture.runLoop()
    withExtendedLifetime(client) {}
    #expect(told == 1)
  }

  @Test("A frozen guest's sockets are watched, but not those that it never took")
  func watchedWhileFrozen() throws {
    let listeners = fixture.listeners()
    _ = try listeners.bind(fixture.guest([.stream, .stream]))
    listeners.recordAdoption(by: [listeners.all[1].inode])
    #expect(listeners.all.map(\.isAdopted) == [false, true])
    let first = try fixture.client(of: listeners.all[0])
    let second = try fixture.client(of: listeners.all[1])
    var told: [String] = []
    try listeners.watchWhileFrozen(fixture.loop) { [loop = fixture.loop] found in
      told.append(found.address)
      listeners.handBack()
      loop.exit()
    }
    try fixture.runLoop()
    #expect(told == [listeners.all[1].address])
    withExtendedLifetime((first.raw, second.raw)) {}
  }

  @Test("Descriptors are set aside for a stop, four for each socket and three, and are free once clients are diverted")
  func emergency() throws {
    let listeners = fixture.listeners()
    try listeners.keepEmergencyDescriptors()
    #expect(listeners.emergencyDescriptors == nil)
    _ = try listeners.bind(fixture.guest([.stream, .stream]))
    try listeners.keepEmergencyDescriptors()
    #expect(listeners.emergencyDescriptors?.count == 12)
    try listeners.divertNow(.restorable)
    #expect(listeners.emergencyDescriptors == nil)
  }
}
