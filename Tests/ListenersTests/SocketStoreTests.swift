import Glibc
import GuestSpec
import Linux
import Systemd
import Testing

@testable import Listeners

@Suite("The sockets in the service manager's store")
struct SocketStoreTests {
  private let manager: FakeServiceManager
  private let loop: EventLoop
  private let errors = Errors()

  /// What was reported.
  private final class Errors {
    var all: [SystemError] = []
  }

  init() throws {
    manager = try FakeServiceManager()
    loop = try EventLoop()
  }

  private func makeStore() -> SocketStore {
    SocketStore(manager.manager, loop: loop) { [errors] in errors.all.append($0) }
  }

  private func socket() throws -> HeldSocket { try HeldSocket(openListener(.stream, .ipv4(.loopback, port: 0))) }

  private func stored(
    _ socket: HeldSocket, _ role: StoredSocket.Role = .primary, _ group: SocketGroup = SocketGroup()
  ) -> StoredSocket {
    StoredSocket(
      role, socket, listen: Listen(.stream, .ipv4(address: [127, 0, 0, 1], port: 0)), group: group, guest: "web")
  }

  private func sent() throws -> [String] { try manager.messages().map { "\($0)" } }

  @Test("A socket is stored behind two records that describe it, once however often it is kept")
  func order() throws {
    let (store, socket) = (makeStore(), try socket())
    store.keep(socket, as: stored(socket))
    #expect(try sent() == ["+dormouse.record.2", "+dormouse.record.3", "+dormouse.socket.1"])
    store.keep(socket, as: stored(socket))
    #expect(try sent() == [])
    #expect(store.hasSentAll && errors.all.isEmpty)
  }

  @Test("A change of the record removes the older of the two, stores the new one, and only then touches sockets")
  func change() throws {
    let (store, first, second) = (makeStore(), try socket(), try socket())
    store.keep(first, as: stored(first))
    _ = try sent()
    store.keep(second, as: stored(second, .standby))
    #expect(try sent() == ["-dormouse.record.2", "+dormouse.record.5", "+dormouse.socket.4"])
    store.drop(second)
    #expect(try sent() == ["-dormouse.record.3", "+dormouse.record.6", "-dormouse.socket.4"])
    #expect(try isListening(first.descriptor))
    #expect(try !isListening(second.descriptor))
    store.drop(second)
    #expect(try sent() == [])
  }

  @Test("What changes in one batch is sent with one record, or at once where that is asked for")
  func batch() throws {
    let (store, first, second, third) = (makeStore(), try socket(), try socket(), try socket())
    try store.batch { () throws(any Error) in
      store.keep(first, as: stored(first))
      store.batch { store.keep(second, as: stored(second)) }
      #expect(try sent() == [])
      store.flush()
      #expect(try sent().last == "+dormouse.socket.2")
      store.keep(third, as: stored(third))
    }
    #expect(try sent() == ["-dormouse.record.3", "+dormouse.record.6", "+dormouse.socket.5"])
  }

  @Test(
    "A daemon that is killed between any two messages leaves every socket that it goes on to keep, with its description"
  )
  func killed() throws {
    let store = makeStore()
    let (first, standby, other, last) = (try socket(), try socket(), try socket(), try socket())
    var messages: [FakeServiceManager.Message] = []
    // After each step how many messages have been sent, and which roles the sockets may have that are kept.
    var steps: [(count: Int, kept: [UInt64: StoredSocket.Role])] = [(0, [:])]
    func step(_ kept: [UInt64: StoredSocket.Role], _ body: () -> Void) throws {
      body()
      messages += try manager.messages()
      steps.append((messages.count, kept))
    }
    try step([first.inode: .primary]) { store.keep(first, as: stored(first)) }
    try step([first.inode: .primary, standby.inode: .standby]) { store.keep(standby, as: stored(standby, .standby)) }
    try step([first.inode: .primary, standby.inode: .standby, other.inode: .primary]) {
      store.keep(other, as: stored(other))
    }
    // The standby takes the place of the first.
    try step([standby.inode: .primary, other.inode: .primary]) {
      store.keep(standby, as: stored(standby), insteadOf: first)
    }
    try step([standby.inode: .primary, other.inode: .primary, last.inode: .primary]) {
      store.keep(last, as: stored(last))
    }
    try step([standby.inode: .primary, other.inode: .primary]) { store.drop(last) }
    try step([standby.inode: .primary]) { store.drop(other) }
    #expect(store.hasSentAll && messages.count > 20)

    for (before, after) in zip(steps, steps.dropFirst()) {
      for count in before.count...after.count {
        var left = FakeStore()
        left.take(messages.prefix(count))
        let found = makeStore().takeBack(try left.inventory())
        let roles = Dictionary(grouping: found.filter { $0.description != nil }, by: \.socket.inode)
        for (inode, role) in before.kept {
          guard let next = after.kept[inode] else { continue }
          let described = roles[inode]?.first?.description?.role
          #expect(described == role || described == next, "after \(count) messages: \(messages.prefix(count))")
        }
        // Never two primary ones of one standby's address: the next daemon would take the wrong one.
        let isRenamed = roles[standby.inode]?.first?.description?.role == .primary
        #expect(!(isRenamed && roles[first.inode] != nil))
      }
    }
  }

  @Test("A store that is full keeps what it has: there is room for every record", arguments: 3...6)
  func full(limit: Int) throws {
    let store = makeStore()
    var left = FakeStore(limit: limit)
    var sockets: [HeldSocket] = []
    for _ in 1...6 {
      let socket = try socket()
      sockets.append(socket)
      store.keep(socket, as: stored(socket))
      for message in try manager.messages() {
        left.take([message])
        let found = makeStore().takeBack(try left.inventory())
        #expect(found.allSatisfy { $0.description != nil })
        #expect(found.count >= min(sockets.count - 1, limit - 2))
      }
    }
    #expect(left.entries.count == limit)
  }

  @Test("The next daemon finds each socket with its description, standbys last, and has nothing to send")
  func takenBack() throws {
    let (store, next) = (makeStore(), makeStore())
    var left = FakeStore()
    var group = SocketGroup()
    group.socketMode = 0o600
    let (standby, primary) = (try socket(), try socket())
    store.batch {
      store.keep(standby, as: stored(standby, .standby))
      store.keep(primary, as: stored(primary, .primary, group))
    }
    left.take(try manager.messages())
    let found = next.takeBack(try left.inventory())
    next.flush()
    #expect(found.map(\.socket.inode) == [primary.inode, standby.inode])
    #expect(found.map(\.description) == [stored(primary, .primary, group), stored(standby, .standby)])
    next.keep(found[0].socket, as: stored(found[0].socket, .primary, group))
    #expect(try sent() == [])
    // And numbers go on from the highest.
    let another = try socket()
    next.keep(another, as: stored(another))
    #expect(try sent() == ["-dormouse.record.3", "+dormouse.record.6", "+dormouse.socket.5"])
  }

  @Test("A socket that no record describes, or whose name describes another one, is taken for nothing and forgotten")
  func undescribed() throws {
    let (store, next) = (makeStore(), makeStore())
    var left = FakeStore()
    let (known, foreign) = (try socket(), try socket())
    store.keep(known, as: stored(known))
    left.take(try manager.messages())
    // One by a name of its own, one by the name of another, one that is no socket.
    try left.take([
      .store("dormouse.socket.9", .init(foreign.descriptor.duplicate())),
      .store("dormouse.socket.1", .init(socket().descriptor.duplicate())),
      .store("dormouse.socket.10", .init(memoryFile("test"))),
    ])
    let inventory = try left.inventory()
    let found = next.takeBack(inventory)
    next.flush()
    #expect(found.filter { $0.description != nil }.map(\.socket.inode) == [known.inode])
    #expect(found.count == 3)
    #expect(inventory.refused.map { "\($0.name)" } == ["dormouse.socket.10"])
    // The name of the known one stays: to forget it would be to forget both.
    #expect(try Set(sent()) == ["-dormouse.socket.9", "-dormouse.socket.10"])
    #expect(try isListening(foreign.descriptor))
  }

  @Test("A description without its socket is nothing, and is left out of the next record")
  func socketless() throws {
    let (store, next) = (makeStore(), makeStore())
    var left = FakeStore()
    let (kept, lost) = (try socket(), try socket())
    for socket in [kept, lost] { store.keep(socket, as: stored(socket)) }
    left.take(try manager.messages())
    left.take([.remove("\(try #require(lost.storedAs))")])
    #expect(next.takeBack(try left.inventory()).map(\.socket.inode) == [kept.inode])
    next.flush()
    left.take(try manager.messages())
    #expect(try records(in: left).last?.sections.count == 1)
  }

  private func records(in left: FakeStore) throws -> [StoreRecord] {
    try left.inventory().records.sorted { $0.generation < $1.generation }
  }

  @Test(
    "A record that cannot be believed is refused with a reason, and the one before it holds",
    arguments: [
      ("[record]\ngeneration=9\nversion=1\n", false, "it is not sealed: whoever has it could change it"),
      ("[record]\ngeneration=8\nversion=1\n", true, "it says that its number is 8"),
      ("rubbish", true, "it does not begin with [record]"),
      (
        "[record]\ngeneration=9\nversion=1\n\n[dormouse.socket.1]\nguest=\u{1}\n", true,
        "line 6: a control character or a backslash in guest="
      ),
    ])
  func refused(text: String, isSealed: Bool, reason: String) throws {
    let (store, next) = (makeStore(), makeStore())
    var left = FakeStore()
    let kept = try socket()
    store.keep(kept, as: stored(kept))
    left.take(try manager.messages())
    let file = isSealed ? try sealedFile("test", Array(text.utf8)) : try memoryFile("test")
    if !isSealed { #expect(write(file.raw, text, text.utf8.count) == text.utf8.count) }
    left.take([.store("dormouse.record.9", try .init(file))])
    let inventory = try left.inventory()
    #expect(inventory.refused.map(\.reason) == [reason])
    #expect(next.takeBack(inventory).map(\.description) == [stored(kept)])
    next.flush()
    #expect(try sent() == ["-dormouse.record.9"])
    // The name is not given again.
    let other = try socket()
    next.keep(other, as: stored(other))
    #expect(try sent() == ["-dormouse.record.2", "+dormouse.record.11", "+dormouse.socket.10"])
  }

  @Test("A record that is longer than any of ours is not read")
  func oversized() throws {
    var left = FakeStore()
    let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: StoreRecord.sizeLimit + 1)
    left.take([.store("dormouse.record.9", try .init(sealedFile("test", bytes)))])
    #expect(try left.inventory().refused.map(\.reason) == ["read a sealed file: File too large"])
  }

  @Test("Of a later release's record what this one does not know stays: its keys, and descriptors of its own kinds")
  func newer() throws {
    let (next, kept) = (makeStore(), try socket())
    let section = stored(kept).section(keeping: StoreSection(["instance": "web.3", "option.Priority": "5"]))
    var record = StoreRecord(generation: 20)
    record.version = 2
    record.unknown = ["boot": "8d3f"]
    record.sections = [
      StoredName(.socket, 3): section, StoredName(.unknown("pidfd"), 12): StoreSection(["instance": "web.3"]),
    ]
    var left = FakeStore()
    try left.take([
      .store("dormouse.record.20", .init(sealedFile("test", Array(record.text.utf8)))),
      .store("dormouse.socket.3", .init(kept.descriptor.duplicate())),
      .store("dormouse.pidfd.12", .init(memoryFile("one"))), .store("dormouse.pidfd.13", .init(memoryFile("two"))),
    ])
    let found = next.takeBack(try left.inventory())
    #expect(found.map(\.description) == [stored(kept)])
    let other = try socket()
    next.keep(found[0].socket, as: stored(kept, .standby))
    next.keep(other, as: stored(other))
    let messages = try manager.messages()
    left.take(messages)
    #expect(left.names.contains("dormouse.pidfd.12") && !left.names.contains("dormouse.pidfd.13"))
    let last = try #require(try records(in: left).last)
    #expect(last.version == 2 && last.unknown == ["boot": "8d3f"] && last.sections.count == 3)
    let described = try #require(last.sections[StoredName(.socket, 3)])
    #expect(described.fields["instance"] == "web.3" && described.fields["option.Priority"] == "5")
    #expect(described.fields["role"] == "standby")
  }

  @Test("What a service manager did not take is reported once, and sent when something is to be kept again")
  func unheard() throws {
    let (store, first, second) = (makeStore(), try socket(), try socket())
    manager.close()
    store.keep(first, as: stored(first))
    store.keep(second, as: stored(second))
    #expect(errors.all.count == 1 && !store.hasSentAll)
    try manager.open()
    store.keep(first, as: stored(first))
    #expect(try sent() == ["+dormouse.record.5", "+dormouse.record.6", "+dormouse.socket.1", "+dormouse.socket.3"])
    #expect(store.hasSentAll)
  }

  @Test("What found no room in the service manager's queue is sent as soon as there is some")
  func later() throws {
    let (store, kept) = (makeStore(), try socket())
    try manager.fill()
    store.keep(kept, as: stored(kept))
    #expect(errors.all.map(\.errno) == [EAGAIN] && !store.hasSentAll)
    #expect(try sent() == [])
    let end = try loop.after(.seconds(30)) { [loop] in loop.exit() }
    let check = try loop.after(.milliseconds(600)) { [loop] in if store.hasSentAll { loop.exit() } }
    try loop.run()
    withExtendedLifetime((end, check)) {}
    #expect(try sent().last == "+dormouse.socket.1")
  }

  @Test("Without a service manager nothing is kept")
  func alone() throws {
    let kept = try socket()
    let store = SocketStore(ServiceManager(), loop: loop) { [errors] in errors.all.append($0) }
    #expect(!store.isThere)
    store.keep(kept, as: stored(kept))
    store.drop(kept)
    #expect(kept.storedAs == nil && errors.all.isEmpty)
    #expect(try isListening(kept.descriptor))
  }
}
