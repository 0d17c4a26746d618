import ControlProtocol
import Linux
import Systemd

/// Serves Varlink on the control socket.
///
/// It is used on the loop's thread and in the isolation of its owner. It never waits for a client. Clients make it hold at most
/// `connectionLimit` connections with what a `Conversation` holds each. A client that neither sends nor reads keeps its connection until
/// another client needs the place. A client that waits for a reply is never disconnected, so at most `waitingLimit` may wait: the other
/// places are for calls that are answered at once.
public final class ControlServer {
  /// Carries out a call and returns its only or last reply. If it returns nil, the replies follow by `answer(_:_:)` and
  /// `answer(_:continuing:)`. It is called for one call of a client at a time.
  public typealias Handler = (Call, PendingCall) -> Reply?

  /// Takes over the connection of a call to which `.attached` was the reply.
  public typealias Upgrade = (Call, consuming OwnedFD) -> Void

  /// A call that was not answered at once. It has numbers and no reference, so that it does not keep a connection open.
  public struct PendingCall: Hashable, Sendable {
    let connection: Int
    let serial: Int
  }

  /// How many clients are served at once. One more replaces the client that was silent for longest.
  public static let connectionLimit = 32
  /// How many of them may wait for an event of a guest, such as its start.
  public static let waitingLimit = 24
  /// How many calls of one client are carried out before the loop goes on to other clients.
  private static let turn = 16

  private let loop: EventLoop
  private let dispatcher: Dispatcher
  private let handler: Handler
  private let upgrade: Upgrade
  private var socket: ControlSocket?
  private var listening: EventSource?
  private let retry: Retry
  private var connections: [Int: ControlConnection] = [:]
  var subscribers = Subscribers()
  /// The clients that `advance` is busy with. `advance` itself sends the reply to a call that is answered meanwhile.
  private var advancing: Set<Int> = []
  private var lastID = 0
  private var uses = 0

  /// Listens at `RUNTIME/io.dormouse`, mode 0600; creates `runtime` if it is missing.
  ///
  /// - Parameters:
  ///   - loop: the loop of this thread.
  ///   - runtime: the directory, given by `--runtime`.
  ///   - version: the version that `varlinkctl info` shows.
  ///   - upgrade: see `Upgrade`.
  ///   - handler: see `Handler`.
  /// - Throws: `SystemError`, with `EADDRINUSE` if another daemon listens there.
  public init(
    loop: EventLoop, runtime: String, version: String, upgrade: @escaping Upgrade, handler: @escaping Handler
  ) throws(SystemError) {
    let socket = try ControlSocket(runtime: runtime)
    self.loop = loop
    retry = Retry(loop)
    self.socket = socket
    self.handler = handler
    self.upgrade = upgrade
    dispatcher = Dispatcher(info: ServiceInfo(version: version))
    // Before the events of guests, so that an administrator is heard even when guests keep the loop busy.
    listening = try loop.watch(socket.listener, for: .readable, priority: .control) { [unowned self] _ in accept() }
  }

  deinit { close() }

  /// Closes all connections and removes the socket. Nothing is answered afterwards.
  public func close() {
    connections = [:]
    retry.cancel()
    listening?.cancel()
    listening = nil
    socket = nil
  }

  /// Whether the client of a call is still connected and expects further replies.
  public func isPending(_ call: PendingCall) -> Bool { connection(of: call) != nil }

  /// Sends the only or last reply to a call that was not answered at once. Nothing happens if the call is not pending.
  public func answer(_ call: PendingCall, _ reply: Reply) {
    guard let connection = connection(of: call) else { return }
    connection.answer(reply)
    if !advancing.contains(call.connection) { advance(call.connection) }
  }

  /// Sends a reply that further ones follow to a call that was not answered at once.
  ///
  /// - Returns: whether the call is still pending: it is not if the client has gone, or does not read its replies.
  public func answer(_ call: PendingCall, continuing reply: Reply) -> Bool {
    guard let connection = connection(of: call) else { return false }
    let continues = connection.answer(continuing: reply)
    if !advancing.contains(call.connection) { advance(call.connection) }
    return continues && isPending(call)
  }

  private func connection(of call: PendingCall) -> ControlConnection? {
    guard let connection = connections[call.connection], connection.serial == call.serial else { return nil }
    return connection.isWaiting ? connection : nil
  }

  private func accept() {
    guard let socket else { return }
    do throws(SystemError) {
      guard let connection = try acceptConnection(on: socket.listener) else { return }
      try admit(ControlConnection(connection, dispatcher))
    } catch {
      pause()
    }
  }

  /// Accepts no connection for a second. This happens only when descriptors or memory are exhausted. The kernel does not report the end of
  /// that, and without a pause the loop would spin.
  private func pause() {
    do throws(SystemError) {
      try retry.schedule { [unowned self] in try? listening?.setEnabled(true) }
      try listening?.setEnabled(false)
    } catch {
      // The loop spins until there is memory for a timer, and still serves every client in turn.
      retry.cancel()
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
      // The client has gone, and nobody else is interested in the error.
    }
    connections[id] = nil
  }

  private func carryOut(_ call: Call, _ pending: PendingCall) -> Reply? {
    // The call itself is among those that wait.
    if call.mayWait, connections.values.count(where: \.isWaiting) > Self.waitingLimit {
      return .failure(.tooManyWaiting)
    }
    return handler(call, pending)
  }

  /// Carries out the client's calls until another client's turn comes.
  private func advance(_ id: Int) {
    advancing.insert(id)
    defer { advancing.remove(id) }
    for _ in 0..<Self.turn {
      guard let connection = connections[id] else { return }
      do throws(SystemError) {
        switch try connection.proceed() {
        case .call(let call):
          if let reply = carryOut(call, PendingCall(connection: id, serial: connection.serial)) {
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
