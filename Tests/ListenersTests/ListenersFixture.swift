import Glibc
import GuestSpec
import Lifecycle
import Systemd
import Testing

@testable import Linux
@testable import Listeners

/// Addresses of a test's own, which need no privilege: on loopback, and below a directory that goes with the fixture.
final class ListenersFixture {
  let store: StoreFixture
  let diag: SockDiag
  private let directory: String
  private var nextPort: UInt16 = 8001
  /// One of 127.0.0.0/8 that no other test has.
  private let host: [UInt8] = [127, .random(in: 1...254), .random(in: 1...254), .random(in: 1...254)]

  init() throws {
    store = try StoreFixture()
    diag = try SockDiag()
    directory = "/tmp/dormouse-listeners-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    try makeDirectories(directory)
  }

  deinit { try? removeTree(directory) }

  var loop: EventLoop { store.loop }

  func path(_ name: String) -> String { "\(directory)/\(name)" }

  /// A guest with one section: a socket of each kind on loopback, each at a port of its own, and one at a path.
  func guest(_ kinds: [Listen.Kind], path name: String? = nil) -> Guest {
    var group = SocketGroup()
    for kind in kinds {
      group.listen.append(Listen(kind, .ipv4(address: host, port: nextPort)))
      nextPort += 1
    }
    if let name { group.listen.append(Listen(.stream, .path(path(name)))) }
    var guest = Guest(name: "web")
    guest.sockets = [group]
    return guest
  }

  func listeners() -> GuestListeners { GuestListeners(of: "web", store.makeStore()) }

  /// A client that is connected, and waits to be accepted.
  func client(of listener: Listener) throws(SystemError) -> OwnedFD {
    let kind = listener.listen.kind == .datagram ? SOCK_DGRAM : SOCK_STREAM
    let isLocal = listener.local.port == nil
    let fd = OwnedFD(
      owning: try retrying("socket") {
        Glibc.socket(isLocal ? AF_UNIX : AF_INET, Int32(kind.rawValue | SOCK_CLOEXEC.rawValue), 0)
      })
    let raw = fd.raw
    try retrying("connect \(listener.address)") { listener.local.withSockaddr { connect(raw, $0, $1) } ?? -1 }
    return fd
  }

  /// Accepts who waits, or reads his datagram, as a guest does.
  func takeClient(of listener: Listener) throws {
    if listener.listen.kind == .datagram {
      var byte: UInt8 = 0
      try retrying("recv") { recv(listener.descriptor.raw, &byte, 1, 0) }
    } else {
      _ = try accept(from: listener.descriptor)
    }
  }

  /// Accepts as a guest does.
  func accept(from descriptor: borrowing OwnedFD) throws(SystemError) -> OwnedFD {
    let raw = descriptor.raw
    return OwnedFD(owning: try retrying("accept") { Glibc.accept(raw, nil, nil) })
  }

  /// The descriptor that the next guest gets of its first socket.
  func given(by listeners: GuestListeners) throws -> OwnedFD {
    if let failure = listeners.prepareForStart().failure { throw failure }
    guard let first = try listeners.duplicates().takeFirst() else { throw SystemError("duplicates", errno: EBADF) }
    return first
  }

  /// Until something of the test ends it.
  func runLoop() throws {
    let end = try loop.after(.seconds(30)) { [loop] in
      Issue.record("nothing ended the loop")
      loop.exit()
    }
    try loop.run()
    withExtendedLifetime(end) {}
  }
}

extension GuestListeners {
  /// Diverts new clients, and waits for those on their way.
  func divertNow(_ which: Divertible) throws(SystemError) {
    if try divert(which) { awaitLookups() }
  }
}
