import ControlProtocol
import Glibc
import Linux

/// The daemons below a runtime directory. One daemon for all guests listens at `io.dormouse`; the daemon of a single guest at
/// `NAME/io.dormouse`.
struct Daemons {
  let runtime: String

  /// Sends a call to the guest's own daemon, or else to the common one.
  ///
  /// - Throws: `Failure`, also when the daemon replies with an error.
  func ask(_ call: Call, of name: String) throws(Failure) -> Reply {
    do throws(Failure) {
      return try askDaemon(call, of: name)
    } catch .noDaemon(let paths) {
      guard let guest = PairedGuest.find(runtime)[name] else { throw .noDaemon(paths: paths) }
      return try guest.answer(call, self)
    }
  }

  /// As `ask`, but only of a daemon that runs.
  ///
  /// - Throws: `Failure`; `noDaemon` when none runs that may have the guest.
  func askDaemon(_ call: Call, of name: String) throws(Failure) -> Reply {
    try first(of: name) { daemon throws(Failure) in try daemon.ask(call) }
  }

  /// Sends a call to the daemon for all guests.
  ///
  /// - Throws: `Failure`, also when the daemon replies with an error.
  func askCommon(_ call: Call) throws(Failure) -> Reply {
    let path = "\(runtime)/io.dormouse"
    guard let reply = try Daemon(path: path).ask(call) else { throw .noDaemon(paths: [path]) }
    return reply
  }

  /// Sends a call as `ask` does, and returns the connection, which carries something else after the reply.
  ///
  /// - Throws: `Failure`, also when the daemon replies with an error.
  func upgrade(_ call: Call, of name: String) throws(Failure) -> OwnedFD {
    try first(of: name) { daemon throws(Failure) in try daemon.upgrade(call) }
  }

  /// The answer of the first daemon that is there, of those that may have the guest. nil is the answer of a missing daemon.
  private func first<Answer: ~Copyable>(
    of name: String, _ question: (Daemon) throws(Failure) -> Answer?
  ) throws(Failure) -> Answer {
    let paths = paths(of: name)
    for path in paths {
      if let answer = try question(Daemon(path: path)) { return answer }
    }
    throw .noDaemon(paths: paths)
  }

  /// The control sockets of the daemons that may have the guest; the guest's own comes first.
  private func paths(of name: String) -> [String] { ["\(runtime)/\(name)/io.dormouse", "\(runtime)/io.dormouse"] }

  /// The process ID and the runtime directory of the daemon that manages a guest: the guest's own, or else the one for all guests.
  ///
  /// - Throws: `Failure`.
  func process(of name: String) throws(Failure) -> (pid: Int32, runtime: String) {
    let paths = paths(of: name)
    for path in paths {
      // Only a successful connection shows a daemon: the socket file of one that ended may still exist.
      guard let socket = try? UnixStream.connect(to: path) else { continue }
      do throws(SystemError) {
        return (try UnixStream.peer(of: socket).pid, String(path.dropLast("/io.dormouse".count)))
      } catch {
        throw .system(error)
      }
    }
    throw .noDaemon(paths: paths)
  }

  /// The guests of all daemons, sorted by name. Where two daemons have a guest, the reply of its own daemon wins.
  ///
  /// - Throws: `Failure`; `noDaemon` when there is none at all.
  func list() throws(Failure) -> [GuestSummary] {
    let names = (try? directoryEntries(runtime)) ?? []
    let paths = ["\(runtime)/io.dormouse"] + names.sorted().map { "\(runtime)/\($0)/io.dormouse" }
    var guests = PairedGuest.find(runtime).mapValues(\.summary)
    var answered = !guests.isEmpty
    for path in paths {
      let reply: Reply?
      do throws(Failure) {
        reply = try Daemon(path: path).ask(.list)
      } catch .hungUp {
        // The daemon of a single guest ends when the guest sleeps, which may happen right now.
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

/// A daemon, by the path of its control socket.
struct Daemon {
  let path: String

  /// Sends a call and waits for the reply without a timeout; nil when nothing listens at the path.
  ///
  /// - Throws: `Failure`, also when the daemon replies with an error.
  func ask(_ call: Call) throws(Failure) -> Reply? {
    guard let socket = try connect() else { return nil }
    return try ask(call, over: socket)
  }

  /// Sends a call after whose reply the connection carries something else; nil when nothing listens at the path.
  ///
  /// - Throws: `Failure`, also when the daemon replies with an error.
  func upgrade(_ call: Call) throws(Failure) -> OwnedFD? {
    guard let socket = try connect() else { return nil }
    // The bytes after the reply are not a message, so none of them may be read here.
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

  /// Sends a message and receives one; nil when the connection ends before that, or what arrives is not a message.
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
