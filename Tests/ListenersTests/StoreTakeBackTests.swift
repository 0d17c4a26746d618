import Glibc
import GuestSpec
import Linux
import Systemd
import Testing

@testable import Listeners

@Suite("What an earlier daemon left in the service manager's store")
struct StoreTakeBackTests {
  private let fixture: StoreFixture

  init() throws { fixture = try StoreFixture() }

  @Test("The next daemon finds each socket with its description, standbys last, and has nothing to send")
  func takenBack() throws {
    let (store, next) = (fixture.makeStore(), fixture.makeStore())
    var left = FakeStore()
    var group = SocketGroup()
    group.file.mode = 0o600
    let (standby, primary) = (try fixture.socket(), try fixture.socket())
    store.batch {
      store.keep(standby, as: fixture.stored(standby, .standby))
      store.keep(primary, as: fixture.stored(primary, .primary, group))
    }
    left.take(try fixture.manager.messages())
    let found = next.takeBack(try left.inventory())
    next.flush()
    #expect(found.map(\.socket.inode) == [primary.inode, standby.inode])
    #expect(found.map(\.description) == [fixture.stored(primary, .primary, group), fixture.stored(standby, .standby)])
    next.keep(found[0].socket, as: fixture.stored(found[0].socket, .primary, group))
    #expect(try fixture.sent() == [])
    // And numbers go on from the highest.
    let another = try fixture.socket()
    next.keep(another, as: fixture.stored(another))
    #expect(try fixture.sent() == ["-dormouse.record.3", "+dormouse.record.6", "+dormouse.socket.5"])
  }

  @Test("A socket that no record describes, or whose name describes another one, is taken for nothing and forgotten")
  func undescribed() throws {
    let (store, next) = (fixture.makeStore(), fixture.makeStore())
    var left = FakeStore()
    let (known, foreign) = (try fixture.socket(), try fixture.socket())
    store.keep(known, as: fixture.stored(known))
    left.take(try fixture.manager.messages())
    // One by a name of its own, one by the name of another, one that is no socket.
    try left.take([
      .store("dormouse.socket.9", .init(foreign.descriptor.duplicate())),
      .store("dormouse.socket.1", .init(fixture.socket().descriptor.duplicate())),
      .store("dormouse.socket.10", .init(memoryFile("test"))),
    ])
    let inventory = try left.inventory()
    let found = next.takeBack(inventory)
    next.flush()
    #expect(found.filter { $0.description != nil }.map(\.socket.inode) == [known.inode])
    #expect(found.count == 3)
    #expect(inventory.refused.map { "\($0.name)" } == ["dormouse.socket.10"])
    // The name of the known one stays: to forget it would be to forget both.
    #expect(try Set(fixture.sent()) == ["-dormouse.socket.9", "-dormouse.socket.10"])
    #expect(try isListening(foreign.descriptor))
  }

  @Test("A description without its socket is nothing, and is left out of the next record")
  func socketless() throws {
    let (store, next) = (fixture.makeStore(), fixture.makeStore())
    var left = FakeStore()
    let (kept, lost) = (try fixture.socket(), try fixture.socket())
    for socket in [kept, lost] { store.keep(socket, as: fixture.stored(socket)) }
    left.take(try fixture.manager.messages())
    left.take([.remove("\(try #require(lost.storedAs))")])
    #expect(next.takeBack(try left.inventory()).map(\.socket.inode) == [kept.inode])
    next.flush()
    left.take(try fixture.manager.messages())
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
    let (store, next) = (fixture.makeStore(), fixture.makeStore())
    var left = FakeStore()
    let kept = try fixture.socket()
    store.keep(kept, as: fixture.stored(kept))
    left.take(try fixture.manager.messages())
    let file = isSealed ? try sealedFile("test", Array(text.utf8)) : try memoryFile("test")
    if !isSealed { #expect(write(file.raw, text, text.utf8.count) == text.utf8.count) }
    left.take([.store("dormouse.record.9", try .init(file))])
    let inventory = try left.inventory()
    #expect(inventory.refused.map(\.reason) == [reason])
    #expect(next.takeBack(inventory).map(\.description) == [fixture.stored(kept)])
    next.flush()
    #expect(try fixture.sent() == ["-dormouse.record.9"])
    // The name is not given again.
    let other = try fixture.socket()
    next.keep(other, as: fixture.stored(other))
    #expect(try fixture.sent() == ["-dormouse.record.2", "+dormouse.record.11", "+dormouse.socket.10"])
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
    let (next, kept) = (fixture.makeStore(), try fixture.socket())
    let section = fixture.stored(kept).section(keeping: StoreSection(["instance": "web.3", "option.Priority": "5"]))
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
    #expect(found.map(\.description) == [fixture.stored(kept)])
    let other = try fixture.socket()
    next.keep(found[0].socket, as: fixture.stored(kept, .standby))
    next.keep(other, as: fixture.stored(other))
    let messages = try fixture.manager.messages()
    left.take(messages)
    #expect(left.names.contains("dormouse.pidfd.12") && !left.names.contains("dormouse.pidfd.13"))
    let last = try #require(try records(in: left).last)
    #expect(last.version == 2 && last.unknown == ["boot": "8d3f"] && last.sections.count == 3)
    let described = try #require(last.sections[StoredName(.socket, 3)])
    #expect(described.fields["instance"] == "web.3" && described.fields["option.Priority"] == "5")
    #expect(described.fields["role"] == "standby")
  }
}
