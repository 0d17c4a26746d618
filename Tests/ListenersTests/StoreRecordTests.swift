import GuestSpec
import Testing

@testable import Listeners

/// The samples are what released versions wrote. A later change may add samples, never alter one: daemons of those versions have left
/// such records in service managers' stores.
@Suite("The record of what is in the service manager's store")
struct StoreRecordTests {
  /// Version 1: every key that a socket can have, and a socket that asks for nothing.
  private static let sample = """
    [record]
    generation=7
    version=1

    [dormouse.socket.3]
    address=/run/web
    guest=web
    inode=4711
    kind=stream
    option.Backlog=128
    option.BindIPv6Only=ipv6-only
    option.DeferAcceptUSec=1500000
    option.DirectoryMode=0700
    option.FreeBind=yes
    option.KeepAlive=yes
    option.KeepAliveIntervalUSec=2000000
    option.KeepAliveProbes=4
    option.KeepAliveTimeUSec=60000000
    option.NoDelay=yes
    option.ReceiveBuffer=65536
    option.RemoveOnStop=yes
    option.ReusePort=yes
    option.SendBuffer=32768
    option.SocketGroup=www-data
    option.SocketMode=0600
    option.SocketUser=33
    role=primary

    [dormouse.socket.4]
    address=127.0.0.1:8001
    guest=mail
    inode=4712
    kind=datagram
    role=standby

    """

  /// A later version's: a key of the record's own, one of a socket, an option, and a kind of descriptor that version 1 does not know.
  private static let newer = """
    [record]
    boot=8d3f
    generation=9
    version=2

    [dormouse.socket.3]
    address=/run/web
    guest=web
    inode=4711
    instance=web.3
    kind=stream
    option.Priority=5
    option.SocketMode=0600
    role=primary

    [dormouse.pidfd.12]
    instance=web.3

    """

  private static var everything: SocketGroup {
    var group = SocketGroup()
    group.listen = [Listen(.stream, .path("/run/web"))]
    group.fileDescriptorName = "http"
    group.backlog = 128
    group.bindIPv6Only = .ipv6Only
    group.file.mode = 0o600
    group.file.user = "33"
    group.file.group = "www-data"
    group.file.directoryMode = 0o700
    group.file.removeOnStop = true
    group.reusePort = true
    group.freeBind = true
    group.keepAlive.isOn = true
    group.keepAlive.time = .seconds(60)
    group.keepAlive.interval = .seconds(2)
    group.keepAlive.probes = 4
    group.noDelay = true
    group.receiveBuffer = 65536
    group.sendBuffer = 32768
    group.deferAccept = .milliseconds(1500)
    return group
  }

  private func record(_ text: String) throws -> StoreRecord { try StoreRecord(Array(text.utf8)) }

  private func described(_ text: String, _ number: UInt64) throws -> StoredSocket {
    let section = try #require(try record(text).sections[StoredName(.socket, number)])
    return try #require(StoredSocket(section))
  }

  @Test("The text that version 1 wrote is read: guest, role, kind, inode and every option")
  func reads() throws {
    let record = try record(Self.sample)
    #expect((record.generation, record.version) == (7, 1) && record.sections.count == 2 && record.unknown.isEmpty)
    let web = try described(Self.sample, 3)
    #expect((web.guest, web.role, web.kind, web.address, web.inode) == ("web", .primary, .stream, "/run/web", 4711))
    #expect(web.options == Self.everything.storedOptions)
    let mail = try described(Self.sample, 4)
    #expect((mail.guest, mail.role, mail.kind, mail.inode) == ("mail", .standby, .datagram, 4712))
    #expect(mail.options == SocketGroup().storedOptions && mail.options.isEmpty)
  }

  @Test("This release writes the text of version 1, letter by letter")
  func writes() throws {
    var record = StoreRecord(generation: 7)
    for number: UInt64 in [4, 3] {
      let name = StoredName(.socket, number)
      record.sections[name] = try described(Self.sample, number).section(keeping: nil)
    }
    #expect(record.text == Self.sample)
  }

  @Test("A record of a later version is read, and what it has more is in the next record again")
  func newer() throws {
    var record = try record(Self.newer)
    #expect(record.text == Self.newer)
    // As a daemon does that goes on with it: the same socket described anew, and another one.
    let name = StoredName(.socket, 3)
    var web = try described(Self.newer, 3)
    #expect(web.options == ["SocketMode": "0600"])
    web.role = .standby
    record.sections[name] = web.section(keeping: record.sections[name])
    record.generation = 10
    let expected = Self.newer.replacing("role=primary", with: "role=standby").replacing(
      "generation=9", with: "generation=10")
    #expect(record.text == expected)
  }

  @Test("Every setting of a [Socket] section but its addresses and its name has a key in the record")
  func complete() {
    #expect(Self.everything.storedOptions.count == settings(of: SocketGroup()) - 2)
    #expect(SocketGroup().storedOptions.isEmpty)
    var other = Self.everything
    (other.listen, other.fileDescriptorName) = ([], nil)
    #expect(other.storedOptions == Self.everything.storedOptions)
    other.file.mode = 0o660
    #expect(other.storedOptions != Self.everything.storedOptions)
  }

  /// How many properties a value has, with those of the structures in it.
  private func settings(of value: Any) -> Int {
    let children = Mirror(reflecting: value).children
    return children.isEmpty ? 1 : children.map { settings(of: $0.value) }.reduce(0, +)
  }

  @Test(
    "Values come back as they were, whatever is in them",
    arguments: ["", "a=b", "[x]", "two\nlines\r\n", "\\x41", "\0\u{7f}\t", "ü\u{301}", "\u{301}", " blank "])
  func values(value: String) throws {
    var record = StoreRecord(generation: 1)
    record.sections[StoredName(.socket, 2)] = StoreSection(["key": value])
    #expect(record.text.split(separator: "\n").allSatisfy { $0.utf8.allSatisfy { $0 >= 0x20 } })
    #expect(try self.record(record.text) == record)
  }

  @Test(
    "A text that no release writes is refused, and the refusal says where",
    arguments: [
      ("", "it does not begin with [record]"),
      ("generation=1\n", "it does not begin with [record]"),
      ("\n[record]\n", "it does not begin with [record]"),
      ("[record]\nversion=1\n", "its header has no number generation="),
      ("[record]\ngeneration=1\n", "its header has no number version="),
      ("[record]\ngeneration=-1\nversion=1\n", "its header has no number generation="),
      ("[record]\ngeneration=18446744073709551615\nversion=1\n", "its header has no number generation="),
      ("[record]\ngeneration=01\nversion=1\n", "its header has no number generation="),
      ("[record]\ngeneration=1\ngeneration=2\nversion=1\n", "line 3: generation= stands there twice"),
      ("[record]\n[record]\n", "line 2: no name in [ ]"),
      ("[record]\n[dormouse.socket.1]\n[dormouse.socket.1]\n", "line 3: dormouse.socket.1 stands there twice"),
      (
        "[record]\n[dormouse.socket.1]\n[dormouse.socket.2]\n[dormouse.socket.1]\n",
        "line 4: dormouse.socket.1 stands there twice"
      ),
      ("[record]\n[dormouse.socket.x]\n", "line 2: no name in [ ]"),
      ("[record]\n[dormouse.socket.1\n", "line 2: no name in [ ]"),
      ("[record]\nno assignment\n", "line 2: no KEY=VALUE"),
      ("[record]\n=value\n", "line 2: no KEY=VALUE"),
      ("[record]\nk\u{e4}y=value\n", "line 2: no KEY=VALUE"),
      ("[record]\nkey=\\x\n", "line 2: a control character or a backslash in key="),
      ("[record]\nkey=\\x41\n", "line 2: a control character or a backslash in key="),
      ("[record]\nkey=\\x0A\n", "line 2: a control character or a backslash in key="),
      ("[record]\nkey=a\tb\n", "line 2: a control character or a backslash in key="),
      ("[record]\r\nkey=a\r\n", "it does not begin with [record]"),
    ])
  func refuses(text: String, words: String) {
    #expect(throws: StoreRecord.Refusal.self) { try record(text) }
    do { _ = try record(text) } catch { #expect("\(error)" == words) }
  }

  @Test("A damaged record is refused, or read as what it says then: it is the same when it is written again")
  func damaged() throws {
    var random = SplitMix(state: 4711)
    var read = 0
    for _ in 1...3000 {
      var bytes = Array(Self.newer.utf8)
      for _ in 1...Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0...2, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        default: bytes.insert(contentsOf: bytes[place...].prefix(9), at: place)
        }
      }
      guard let record = try? StoreRecord(bytes) else { continue }
      read += 1
      #expect(try self.record(record.text) == record)
    }
    #expect(read > 100)
  }

  /// The same numbers each time.
  private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
      return mixed ^ mixed >> 31
    }
  }

  @Test("Bytes that are no UTF-8 are refused")
  func notText() {
    #expect(throws: StoreRecord.Refusal.notUTF8) { try StoreRecord(Array("[record]\nkey=".utf8) + [0xff, 0x0a]) }
  }

  @Test(
    "A section that lacks a key, or has a value that this release does not know, describes no socket",
    arguments: [
      ("role=primary\n", ""), ("role=primary", "role=third"), ("guest=web\n", ""), ("guest=web", "guest="),
      ("inode=4711", "inode=x"), ("inode=4711\n", ""), ("kind=stream", "kind=raw"), ("address=/run/web\n", ""),
    ])
  func undescribed(part: String, other: String) throws {
    let record = try record(Self.sample.replacing(part, with: other))
    let section = try #require(record.sections[StoredName(.socket, 3)])
    #expect(StoredSocket(section) == nil)
  }

  @Test("A name is dormouse.KIND.NUMBER, one that a store leaves as it is; any other is nobody's")
  func names() {
    for name in [StoredName(.socket, 0), StoredName(.record, 7), StoredName(.unknown("pidfd"), .max / 2)] {
      #expect(StoredName("\(name)") == name)
      #expect("\(name)".utf8.count <= 255)
      #expect(
        "\(name)".utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "\\") })
    }
    let others = [
      "", "stored", "web.socket", "dormouse", "dormouse.socket", "dormouse.socket.", "dormouse.socket.1.2",
      "dormouse..1",
      "dormouse.socket.01", "dormouse.socket.+1", "dormouse.socket.-1", "dormouse.Socket.1", "dormouse.so:ket.1",
      "dormouse.socket.18446744073709551615", "dormouse.socket.99999999999999999999", "Dormouse.socket.1",
      "dormouse.\(String(repeating: "k", count: 33)).1",
    ]
    for name in others { #expect(StoredName(name) == nil, "\(name)") }
  }
}
