import Glibc
import GuestSpec
import Linux
import Systemd

@testable import Listeners

/// A store's two ends, and sockets to put into it.
struct StoreFixture {
  let manager: FakeServiceManager
  let loop: EventLoop
  private let reported = Errors()

  /// What the store could not send, in order.
  var errors: [SystemError] { reported.all }

  private final class Errors {
    var all: [SystemError] = []
  }

  init() throws {
    manager = try FakeServiceManager()
    loop = try EventLoop()
  }

  func makeStore() -> SocketStore { makeStore(of: manager.manager) }

  func makeStore(of manager: ServiceManager) -> SocketStore {
    SocketStore(manager, loop) { [reported] in reported.all.append($0) }
  }

  func socket() throws -> HeldSocket { try HeldSocket(openListener(.stream, .ipv4(.loopback, port: 0))) }

  func stored(
    _ socket: HeldSocket, _ role: StoredSocket.Role = .primary, _ group: SocketGroup = SocketGroup()
  ) -> StoredSocket {
    StoredSocket(
      role, socket, listen: Listen(.stream, .ipv4(address: [127, 0, 0, 1], port: 0)), group: group, guest: "web")
  }

  /// What was sent to the service manager since the last call: `+NAME` for a descriptor to keep, `-NAME` for one to forget.
  func sent() throws -> [String] { try manager.messages().map { "\($0)" } }
}
