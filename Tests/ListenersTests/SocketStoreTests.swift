import Glibc
import GuestSpec
import Linux
import Systemd
import Testing

@testable import Listeners

@Suite("The sockets in the service manager's store")
struct SocketStoreTests {
  private let fixture: StoreFixture

  init() throws { fixture = try StoreFixture() }

  @Test("A socket is stored behind two records that describe it, once however often it is kept")
  func order() throws {
    let (store, socket) = (fixture.makeStore(), try fixture.socket())
    store.keep(socket, as: fixture.stored(socket))
    #expect(try fixture.sent() == ["+dormouse.record.2", "+dormouse.record.3", "+dormouse.socket.1"])
    store.keep(socket, as: fixture.stored(socket))
    #expect(try fixture.sent() == [])
    #expect(store.hasSentAll && fixture.errors.isEmpty)
  }

  @Test("A change of the record removes the older of the two, stores the new one, and only then touches sockets")
  func change() throws {
    let (store, first, second) = (fixture.makeStore(), try fixture.socket(), try fixture.socket())
    store.keep(first, as: fixture.stored(first))
    _ = try fixture.sent()
    store.keep(second, as: fixture.stored(second, .standby))
    #expect(try fixture.sent() == ["-dormouse.record.2", "+dormouse.record.5", "+dormouse.socket.4"])
    store.drop(second)
    #expect(try fixture.sent() == ["-dormouse.record.3", "+dormouse.record.6", "-dormouse.socket.4"])
    #expect(try isListening(first.descriptor))
    #expect(try !isListening(second.descriptor))
    store.drop(second)
    #expect(try fixture.sent() == [])
  }

  @Test("A store without sockets is left without records, and gets two with the next socket")
  func empty() throws {
    let store = fixture.makeStore()
    for first in [1, 5] {
      let socket = try fixture.socket()
      store.keep(socket, as: fixture.stored(socket))
      let names = ["socket.\(first)", "record.\(first + 1)", "record.\(first + 2)", "record.\(first + 3)"].map {
        "dormouse.\($0)"
      }
      #expect(try fixture.sent() == ["+\(names[1])", "+\(names[2])", "+\(names[0])"])
      store.drop(socket)
      #expect(
        try fixture.sent() == ["-\(names[1])", "+\(names[3])", "-\(names[0])", "-\(names[2])", "-\(names[3])"])
    }
    #expect(store.hasSentAll)
  }

  @Test("What changes in one batch is sent with one record, or at once where that is asked for")
  func batch() throws {
    let (store, first, second, third) = (
      fixture.makeStore(), try fixture.socket(), try fixture.socket(), try fixture.socket()
    )
    try store.batch { () throws(any Error) in
      store.keep(first, as: fixture.stored(first))
      store.batch { store.keep(second, as: fixture.stored(second)) }
      #expect(try fixture.sent() == [])
      store.flush()
      #expect(try fixture.sent().last == "+dormouse.socket.2")
      store.keep(third, as: fixture.stored(third))
    }
    #expect(try fixture.sent() == ["-dormouse.record.3", "+dormouse.record.6", "+dormouse.socket.5"])
  }

  @Test(
    "A daemon that is killed between any two messages leaves every socket that it goes on to keep, with its description"
  )
  func killed() throws {
    let store = fixture.makeStore()
    let (first, standby, other, last) = (
      try fixture.socket(), try fixture.socket(), try fixture.socket(), try fixture.socket()
    )
    var messages: [FakeServiceManager.Message] = []
    // After each step how many messages have been sent, and which roles the sockets may have that are kept.
    var steps: [(count: Int, kept: [UInt64: StoredSocket.Role])] = [(0, [:])]
    func step(_ kept: [UInt64: StoredSocket.Role], _ body: () -> Void) throws {
      body()
      messages += try fixture.manager.messages()
      steps.append((messages.count, kept))
    }
    try step([first.inode: .primary]) { store.keep(first, as: fixture.stored(first)) }
    try step([first.inode: .primary, standby.inode: .standby]) {
      store.keep(standby, as: fixture.stored(standby, .standby))
    }
    try step([first.inode: .primary, standby.inode: .standby, other.inode: .primary]) {
      store.keep(other, as: fixture.stored(other))
    }
    // The standby takes the place of the first.
    try step([standby.inode: .primary, other.inode: .primary]) {
      store.keep(standby, as: fixture.stored(standby), insteadOf: first)
    }
    try step([standby.inode: .primary, other.inode: .primary, last.inode: .primary]) {
      store.keep(last, as: fixture.stored(last))
    }
    try step([standby.inode: .primary, other.inode: .primary]) { store.drop(last) }
    try step([standby.inode: .primary]) { store.drop(other) }
    try step([:]) { store.drop(standby) }
    #expect(store.hasSentAll && messages.count > 20)

    for (before, after) in zip(steps, steps.dropFirst()) {
      for count in before.count...after.count {
        var left = FakeStore()
        left.take(messages.prefix(count))
        let found = fixture.makeStore().takeBack(try left.inventory())
        let roles = Dictionary(grouping: found.filter { $0.description != nil }, by: \.socket.inode)
        for (inode, role) in before.kept {
          guard let next = after.kept[inode] else { continue }
          let described = roles[inode]?.first?.description?.role
          #expect(described == role || described == next, "after \(count) messages: \(messages.prefix(count))")
        }
        // The next daemon has no use for a standby alone, and would take the wrong one of two primary sockets at one address.
        switch roles[standby.inode]?.first?.description?.role {
        case .standby: #expect(roles[first.inode] != nil, "after \(count) messages: \(messages.prefix(count))")
        case .primary: #expect(roles[first.inode] == nil, "after \(count) messages: \(messages.prefix(count))")
        case nil: break
        }
      }
    }
  }

  @Test("A store that is full keeps what it has: there is room for every record", arguments: 3...6)
  func full(limit: Int) throws {
    let store = fixture.makeStore()
    var left = FakeStore(limit: limit)
    var sockets: [HeldSocket] = []
    for _ in 1...6 {
      let socket = try fixture.socket()
      sockets.append(socket)
      store.keep(socket, as: fixture.stored(socket))
      for message in try fixture.manager.messages() {
        left.take([message])
        let found = fixture.makeStore().takeBack(try left.inventory())
        #expect(found.allSatisfy { $0.description != nil })
        #expect(found.count >= min(sockets.count - 1, limit - 2))
      }
    }
    #expect(left.entries.count == limit)
  }

  @Test("What a service manager did not take is reported once, and sent when something is to be kept again")
  func unheard() throws {
    let (store, first, second) = (fixture.makeStore(), try fixture.socket(), try fixture.socket())
    fixture.manager.close()
    store.keep(first, as: fixture.stored(first))
    store.keep(second, as: fixture.stored(second))
    #expect(fixture.errors.count == 1 && !store.hasSentAll)
    try fixture.manager.open()
    store.keep(first, as: fixture.stored(first))
    #expect(
      try fixture.sent() == ["+dormouse.record.5", "+dormouse.record.6", "+dormouse.socket.1", "+dormouse.socket.3"])
    #expect(store.hasSentAll)
  }

  @Test("What found no room in the service manager's queue is sent as soon as there is some")
  func later() throws {
    let (store, kept) = (fixture.makeStore(), try fixture.socket())
    try fixture.manager.fill()
    store.keep(kept, as: fixture.stored(kept))
    #expect(fixture.errors.map(\.errno) == [EAGAIN] && !store.hasSentAll)
    #expect(try fixture.sent() == [])
    let end = try fixture.loop.after(.seconds(30)) { [loop = fixture.loop] in loop.exit() }
    let check = try fixture.loop.after(.milliseconds(600)) { [loop = fixture.loop] in
      if store.hasSentAll { loop.exit() }
    }
    try fixture.loop.run()
    withExtendedLifetime((end, check)) {}
    #expect(try fixture.sent().last == "+dormouse.socket.1")
  }

  @Test("Without a service manager nothing is kept")
  func alone() throws {
    let kept = try fixture.socket()
    let store = fixture.makeStore(of: ServiceManager())
    #expect(!store.isThere)
    store.keep(kept, as: fixture.stored(kept))
    store.drop(kept)
    #expect(kept.storedAs == nil && fixture.errors.isEmpty)
    #expect(try isListening(kept.descriptor))
  }
}
