import Glibc
import GuestSpec
import Linux
import Systemd
import Testing

@testable import Listeners

/// What holds with and without privileges. How the kernel moves clients that wait is seen in LinuxTests.
@Suite("Clients of a guest that stops")
struct ParkingTests {
  private let fixture: ListenersFixture
  private let listeners: GuestListeners
  private let guest: Guest
  private let listener: Listener

  init() throws {
    fixture = try ListenersFixture()
    listeners = fixture.listeners()
    guest = fixture.guest([.stream])
    _ = try listeners.bind(guest)
    listener = try #require(listeners.all.first)
  }

  /// Whether a byte of the client's is received by whoever accepts him from this descriptor.
  private func serves(_ client: borrowing OwnedFD, from descriptor: borrowing OwnedFD) throws -> Bool {
    #expect(write(client.raw, "x", 1) == 1)
    let connection = try fixture.accept(from: descriptor)
    var byte: UInt8 = 0
    return read(connection.raw, &byte, 1) == 1 && byte == UInt8(ascii: "x")
  }

  @Test("Clients that are diverted are parked at a standby, and the guest's own queue stays empty")
  func parked() throws {
    try listeners.divertNow(.restorable)
    #expect(listener.isDiverted && listeners.all.allSatisfy { $0.standby != nil })
    let client = try fixture.client(of: listener)
    #expect(listeners.isSomebodyParked && !listener.isSomebodyQueued && listeners.awaited === listener)
    withExtendedLifetime(client.raw) {}
  }

  @Test("The next instance serves the parked clients")
  func next() throws {
    let queued = try fixture.client(of: listener)
    #expect(listener.queued(fixture.diag) == 1)
    try listeners.divertNow(.restorable)
    let parked = try fixture.client(of: listener)
    // The last guest's end: its queue was left to it, for it may have accepted.
    #expect(try serves(queued, from: listener.descriptor))
    #expect(listeners.unparkForNext(fixture.diag).failure == nil)
    let given = try fixture.given(by: listeners)
    #expect(listeners.queued(fixture.diag) == 1)
    #expect(try serves(parked, from: given))
    #expect(!listeners.isSomebodyParked)
  }

  @Test("Clients come to the guest again when it goes on")
  func goesOn() throws {
    try listeners.divertNow(.restorable)
    #expect(listeners.restore().failure == nil)
    #expect(!listener.isDiverted)
    let client = try fixture.client(of: listener)
    #expect(listener.isSomebodyQueued)
    #expect(try serves(client, from: listener.descriptor))
    // What a stop takes is set aside again.
    #expect(listeners.emergencyDescriptors != nil)
  }

  @Test("Clients are not diverted from a socket that the guest never took, nor where others may share the address")
  func exceptions() throws {
    var shared = fixture.guest([.stream])
    shared.sockets[0].reusePort = true
    let others = fixture.listeners()
    _ = try others.bind(shared)
    try others.divertNow(.restorable)
    #expect(others.all[0].standby == nil && !others.all[0].isDiverted)
    listeners.recordAdoption(by: [])
    try listeners.divertNow(.restorable)
    #expect(listener.standby == nil)
  }

  @Test("Clients that were parked when the daemon is killed are served by the next one: their standby was in the store")
  func killed() throws {
    var left = FakeStore()
    left.take(try fixture.store.manager.messages())
    #expect(left.names.count == 3)
    try listeners.divertNow(.restorable)
    left.take(try fixture.store.manager.messages())
    #expect(left.names.filter { $0.hasPrefix("dormouse.socket.") }.count == 2)
    let client = try fixture.client(of: listener)
    #expect(listeners.isSomebodyParked)
    let inodes = [listener.primary.inode, try #require(listener.standby).inode]

    // The next daemon, which has nothing but the store.
    let next = fixture.listeners()
    for found in next.store.takeBack(try left.inventory()) {
      let passed = PassedSocket(found.socket.descriptor, name: "\(found.name)")
      let match = try #require(passed.match(guest))
      #expect(try next.takeBack(found.socket, try #require(found.description), match))
    }
    let again = try #require(next.all.first)
    #expect([again.primary.inode, try #require(again.standby).inode] == inodes)
    #expect(next.recoverPaths(fixture.diag) == nil && next.isSomebodyParked)
    #expect(next.unparkForNext(fixture.diag).failure == nil)
    let given = try fixture.given(by: next)
    #expect(try serves(client, from: given))
  }

  @Test("A socket that was stored for other options is not taken back")
  func otherOptions() throws {
    var left = FakeStore()
    left.take(try fixture.store.manager.messages())
    var other = guest
    other.sockets[0].backlog = 7
    let next = fixture.listeners()
    let found = try #require(next.store.takeBack(try left.inventory()).first)
    let match = try #require(PassedSocket(found.socket.descriptor, name: "").match(other))
    #expect(try !next.takeBack(found.socket, try #require(found.description), match))
    next.store.drop(found.socket)
    left.take(try fixture.store.manager.messages())
    #expect(!left.names.contains("\(found.name)"))
    #expect(try !isListening(found.socket.descriptor))
  }

  @Test("A daemon that finds the guest of a killed one takes its sockets over from its processes")
  func takenOver() throws {
    let next = fixture.listeners()
    let own = try ProcessHandle(opening: getpid())
    try forEachSocket(ofProcess: getpid(), pidfd: own.descriptor, limit: 4096) { socket in
      next.takeOver(socket, guest)
      return true
    }
    #expect(next.all.map(\.inode) == [listener.inode])
    let client = try fixture.client(of: listener)
    #expect(try serves(client, from: next.all[0].descriptor))
  }
}
