import ControlProtocol
import Linux
import Systemd

/// Answers Varlink on the control socket.
///
/// It lives on the loop's thread and in the isolation of whoever made it. No client can make it hold more than
/// `connectionLimit` connections with one request buffer and one reply each, nor wait for anything: a client that neither
/// sends nor reads keeps its place until somebody else needs it.
public final class ControlServer {
  /// Carries out a call and returns the reply; or nil, and the reply is given to `answer(_:_:)` when it is known. It is
  /// called for one call per client at a time.
  public typealias Handler = (Call, PendingCall) -> Reply?

  /// Takes the connection over that a call asked for, when `.attached` has been the reply.
  public typealias Upgrade = (Call, consuming OwnedFD) -> Void

  /// A call that was not answered at once. It is a number: a client that went away is not kept alive by it.
  public struct PendingCall: Hashable, Sendable {
    fileprivate let connection: Int
    fileprivate let serial: Int
  }

  /// How many clients are served at once. The next one takes the place of the one that was silent for longest, unless
  /// all of them wait for a reply: then it is turned away.
  public static let connectionLimit = 32
  /// How many calls of one client are carried out before the loop sees to others.
  private static let turn = 16

  private let loop: EventLoop
  private let dispatcher: Dispatcher
  private let handler: Handler
  private let upgrade: Upgrade
  private var socket: ControlSocket?
  private var listening: EventSource?
  private var pause: EventSource?
  private var connections: [Int: ControlConnection] = [:]
  /// Who has a turn now: one that is answered inside of its own turn goes on in that one.
  private var advancing: Set<Int> = []
  private var lastID = 0
  private var uses = 0

  /// Listens at `RUNTIME/io.dormouse`, mode 0600; makes `runtime` when it is missing.
  ///
  /// - Parameters:
  ///   - loop: the loop of this thread.
  ///   - runtime: the directory, given by `--runtime`.
  ///   - version: what `varlinkctl info` shows.
  ///   - upgrade: see `Upgrade`; like `handler` it is kept until the server goes.
  ///   - handler: see `Handler`.
  /// - Throws: `SystemError`, with `EADDRINUSE` when another daemon answers there.
  public init(
    loop: EventLoop, runtime: String, version: String, upgrade: @escaping Upgrade, handler: @escaping Handler
  ) throws(SystemError) {
    let socket = try ControlSocket(runtime: runtime)
    self.loop = loop
    self.socket = socket
    self.handler = handler
    self.upgrade = upgrade
    dispatcher = Dispatcher(info: ServiceInfo(version: version))
    // After those that have gone: they free their places.
    listening = try loop.watch(socket.listener, for: .readable, priority: .last) { [unowned self] _ in accept() }
  }

  deinit { close() }

  /// Lets all clients go and removes the socket. Nothing is answered afterwards.
  public func close() {
    connections = [:]
    pause?.cancel()
    pause = nil
    listening?.cancel()
    listening = nil
    socket = nil
  }

  /// Sends the reply to a call that was not answered at once. Nothing happens if the client has gone, or has its reply.
  public func answer(_ call: PendingCall, _ reply: Reply) {
    guard let connection = connections[call.connection], connection.serial == call.serial else { return }
    connection.answer(reply)
    if !advancing.contains(call.connection) { advance(call.connection) }
  }

  private func accept() {
    guard let socket else { return }
    do throws(SystemError) {
      guard let connection = try acceptConnection(on: socket.listener) else { return }
      try admit(ControlConnection(connection, dispatcher))
    } catch {
      rest()
    }
  }

  /// Leaves the clients in the queue for a second. Only a lack of descriptors or memory leads here, and the kernel has
  /// no event for its end; without the pause the loop would turn without rest.
  private func rest() {
    do throws(SystemError) {
      pause = try loop.after(.seconds(1), accuracy: .milliseconds(100)) { [unowned self] in
        pause = nil
        try? listening?.setEnabled(true)
      }
      try listening?.setEnabled(false)
    } catch {
      pause = nil
    }
  }

  private func admit(_ connection: ControlConnection) throws(SystemError) {
    if connections.count >= Self.connectionLimit {
      let idle = connections.filter { !$0.value.isWaiting }
      guard let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return }
      connections[oldest.key] = nil
    }
    lastID += 1
    let id = lastID
    touch(connection)
    try connection.watch(on: loop) { [unowned self] events in ready(id, events) }
    connections[id] = connection
  }

  private func touch(_ connection: ControlConnection) {
    uses += 1
    connection.lastUse = uses
  }

  private func ready(_ id: Int, _ events: IOEvents) {
    guard let connection = connections[id] else { return }
    touch(connection)
    do throws(SystemError) {
      if try connection.receive(events) { return advance(id) }
    } catch {
      // The client is gone, and with it whoever the error would be for.
    }
    connections[id] = nil
  }

  /// Carries out the client's calls until it is somebody else's turn.
  private func advance(_ id: Int) {
    advancing.insert(id)
    defer { advancing.remove(id) }
    for _ in 0..<Self.turn {
      guard let connection = connections[id] else { return }
      do throws(SystemError) {
        switch try connection.proceed() {
        case .call(let call):
          if let reply = handler(call, PendingCall(connection: id, serial: connection.serial)) {
            connection.answer(reply)
          }
        case .upgraded(let call):
          let socket = try connection.duplicate()
          connections[id] = nil
          return upgrade(call, socket)
        case .blocked: return try connection.rest(soon: false)
        case .finished: return connections[id] = nil
        }
      } catch {
        return connections[id] = nil
      }
    }
    do throws(SystemError) {
      try connections[id]?.rest(soon: true)
    } catch {
      connections[id] = nil
    }
  }
}
