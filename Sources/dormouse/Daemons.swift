import ControlProtocol
import Glibc
import Linux

/// The daemons below a runtime directory: one for all guests at `io.dormouse`, or one for each at `NAME/io.dormouse`.
struct Daemons {
  let runtime: String

  /// Asks the guest's own daemon, or else the common one.
  ///
  /// - Throws: `Failure`; also for an error that the daemon answered with.
  func ask(_ call: Call, of name: String) throws(Failure) -> Reply {
    try first(of: name) { daemon throws(Failure) in try daemon.ask(call) }
  }

  /// Asks as `ask`, for the connection itself.
  ///
  /// - Throws: `Failure`; also for an error that the daemon answered with.
  func upgrade(_ call: Call, of name: String) throws(Failure) -> OwnedFD {
    try first(of: name) { daemon throws(Failure) in try daemon.upgrade(call) }
  }

  /// What the first of those that may have the guest answers; nil is the answer of one that is not there.
  private func first<Answer: ~Copyable>(
    of name: String, _ question: (Daemon) throws(Failure) -> Answer?
  ) throws(Failure) -> Answer {
    let paths = paths(of: name)
    for path in paths {
      if let answer = try question(Daemon(path: path)) { return answer }
    }
    throw .noDaemon(paths: paths)
  }

  /// The guest's own daemon comes before the common one.
  private func paths(of name: String) -> [String] { ["\(runtime)/\(name)/io.dormouse", "\(runtime)/io.dormouse"] }

  /// The process that answers for a guest: the guest's own daemon, or else the common one.
  ///
  /// - Throws: `Failure`.
  func process(of name: String) throws(Failure) -> Int32 {
    let paths = paths(of: name)
    for path in paths {
      // Only one that answers counts: the socket of a daemon that is gone may still be there.
      guard let socket = try? UnixStream.connect(to: path) else { continue }
      do throws(SystemError) {
        return try UnixStream.peer(of: socket).pid
      } catch {
        throw .system(error)
      }
    }
    throw .noDaemon(paths: paths)
  }

  /// The guests of all daemons there are, by name; a guest's own daemon knows better than the common one.
  ///
  /// - Throws: `Failure`; `noDaemon` when there is none at all.
  func list() throws(Failure) -> [GuestSummary] {
    let names = (try? directoryEntries(runtime)) ?? []
    let paths = ["\(runtime)/io.dormouse"] + names.sorted().map { "\(runtime)/\($0)/io.dormouse" }
    var guests: [String: GuestSummary] = [:]
    var answered = false
    for path in paths {
      let reply: Reply?
      do throws(Failure) {
        reply = try Daemon(path: path).ask(.list)
      } catch .hungUp {
        // The daemon of a single guest ends when the guest sleeps, be it now.
        continue
      }
      guard let reply else { continue }
      guard case .list(let list) = reply else { throw .otherReply }
      answered = true
      for guest in list { guests[guest.name] = guest }
    }
    if !answered { throw .noDaemon(paths: [paths[0]]) }
    return guests.values.sorted { $0.name < $1.name }
  }
}

/// One daemon, by the path of its control socket.
struct Daemon {
  let path: String

  /// Sends a call and waits for the reply, however long it takes; nil when nobody listens at the path.
  ///
  /// - Throws: `Failure`; also for an error that the daemon answered with.
  func ask(_ call: Call) throws(Failure) -> Reply? {
    guard let socket = try connect() else { return nil }
    return try ask(call, over: socket)
  }

  /// Sends a call after which the connection carries something else; nil when nobody listens at the path.
  ///
  /// - Throws: `Failure`; also for an error that the daemon answered with.
  func upgrade(_ call: Call) throws(Failure) -> OwnedFD? {
    guard let socket = try connect() else { return nil }
    // What follows the reply is no message: not a byte of it may be taken here.
    guard case .attached = try ask(call, over: socket, atOnce: 1) else { throw .otherReply }
    return socket
  }

  private func connect() throws(Failure) -> OwnedFD? {
    do throws(SystemError) {
      return try UnixStream.connect(to: path)
    } catch {
      if [ENOENT, ENOTDIR, ECONNREFUSED].contains(error.errno) { return nil }
      throw failure(error)
    }
  }

  private func failure(_ error: SystemError) -> Failure {
    switch error.errno {
    case EACCES, EPERM: .notAllowed(path: path)
    case EPIPE, ECONNRESET: .hungUp(path: path)
    default: .system(error)
    }
  }

  private func ask(
    _ call: Call, over socket: borrowing OwnedFD, atOnce limit: Int = 64 * 1024
  ) throws(Failure) -> Reply {
    guard let request = try? call.encoded() else { throw .otherReply }
    let message: [UInt8]?
    do throws(SystemError) {
      message = try exchange(request, over: socket, atOnce: limit)
    } catch {
      throw failure(error)
    }
    guard let message else { throw .hungUp(path: path) }
    return try reply(to: call, message)
  }

  private func reply(to call: Call, _ message: [UInt8]) throws(Failure) -> Reply {
    let reply: Reply
    do throws(UnexpectedReply) {
      reply = try call.decodeReply(message)
    } catch {
      throw .unexpected(error)
    }
    if case .failure(let error) = reply { throw .refused(error) }
    return reply
  }

  /// One message there, one back; nil when the connection ends before that, or when what comes is no message.
  private func exchange(
    _ request: [UInt8], over socket: borrowing OwnedFD, atOnce limit: Int
  ) throws(SystemError) -> [UInt8]? {
    var rest = request[...]
    while !rest.isEmpty { rest = rest.dropFirst(try UnixStream.send(rest, to: socket)) }
    var buffer = MessageBuffer(limit: MessageBuffer.replyLimit)
    while true {
      let room = min(buffer.room, limit)
      guard let bytes = try UnixStream.receive(from: socket, upTo: room), !bytes.isEmpty else { return nil }
      do throws(MessageBuffer.Violation) {
        try buffer.append(bytes)
        if let message = try buffer.next() { return message }
      } catch {
        return nil
      }
    }
  }
}
