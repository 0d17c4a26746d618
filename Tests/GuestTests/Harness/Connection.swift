import CLinux
import Foundation
import Glibc
import Linux

/// The client end of a connection in a world's network namespace. It is shut down before it is closed, because a child of another test may
/// hold a copy of the socket until its `execve`.
final class Connection {
  private var socket: OwnedFD?
  private var received: [UInt8] = []

  init(owning socket: consuming OwnedFD) { self.socket = consume socket }

  deinit { close() }

  func close() {
    if let raw = socket?.raw { shutdown(raw, Int32(SHUT_RDWR)) }
    socket = nil
  }

  /// Ends the connection by a reset, as when the client's program crashed.
  func reset() throws {
    var now = linger(l_onoff: 1, l_linger: 0)
    let raw = try raw()
    try retrying("setsockopt") { setsockopt(raw, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size)) }
    socket = nil
  }

  private func raw() throws -> Int32 {
    guard let raw = socket?.raw else { throw Trouble("the connection was closed") }
    return raw
  }

  /// Sends a line.
  func send(_ line: String) throws {
    let bytes = Array((line + "\n").utf8)
    let raw = try raw()
    let sent = try retrying("send") { Glibc.send(raw, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
    guard sent == bytes.count else { throw Trouble("only \(sent) bytes of \(bytes.count) were sent") }
  }

  /// The next line from the peer without its newline; nil at the end or the reset of the connection.
  func line(within seconds: Double = deadline) throws -> String? {
    while true {
      if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
        defer { received.removeFirst(end + 1) }
        return String(decoding: received[..<end], as: UTF8.self)
      }
      guard try receive(within: seconds) else { return nil }
    }
  }

  /// Sends a line and returns the answer.
  func ask(_ line: String, within seconds: Double = deadline) throws -> String {
    try send(line)
    guard let answer = try self.line(within: seconds) else { throw Trouble("\(line): the connection ended") }
    return answer
  }

  /// Sends a datagram and returns the answer, which tiny-init sends as a datagram too.
  func askByDatagram(_ text: String, within seconds: Double = deadline) throws -> String {
    try ask(text, within: seconds)
  }

  /// Sends a line and returns the items of the answer.
  func askList(_ line: String) throws -> [String] { try ask(line).split(separator: "\t").map(String.init) }

  /// Reads everything until the peer closes the connection.
  func rest(within seconds: Double = deadline) throws -> String {
    while try receive(within: seconds) {}
    defer { received = [] }
    return String(decoding: received, as: UTF8.self)
  }

  /// Whether the peer ends the connection in time.
  func hasEnded() throws -> Bool { try !receive(within: deadline) }

  private func receive(within seconds: Double) throws -> Bool {
    let raw = try raw()
    guard isReadable(raw, within: seconds) else { throw Trouble("no answer within \(seconds) s") }
    var buffer = [UInt8](repeating: 0, count: 16384)
    let count = recv(raw, &buffer, buffer.count, 0)
    if count > 0 { received += buffer[..<count] }
    return count > 0
  }
}

extension World {
  /// Runs `body` on a new thread in the world's network namespace. Sockets that it creates stay in that namespace.
  func inside<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result {
    let path = "/run/netns/\(name)"
    let box = Box<Swift.Result<Result, any Error>>()
    let done = DispatchSemaphore(value: 0)
    // A thread that has changed its namespace must not be used for anything else, so it ends here.
    let thread = Thread {
      box.set(
        Swift.Result {
          let space = OwnedFD(owning: try retrying("open \(path)") { open(path, O_RDONLY | O_CLOEXEC) })
          try retrying("setns") { setns(space.raw, 0x4000_0000 /* CLONE_NEWNET */) }
          return try body()
        })
      done.signal()
    }
    thread.start()
    done.wait()
    return try box.take().get()
  }

  /// Connects to a stream socket: `127.0.0.1:8001`, `[::1]:8002`, `/path`, `@abstract`.
  func connect(_ address: String) throws -> Connection {
    Connection(owning: OwnedFD(owning: try socketConnected(to: address, .stream)))
  }

  /// Makes several connections before any of them is used.
  func connect(_ address: String, times: Int) throws -> [Connection] {
    try (0..<times).map { _ in try connect(address) }
  }

  /// Makes a datagram socket with `address` as its peer and, for AF_UNIX, with a name for answers.
  func datagrams(to address: String) throws -> Connection {
    Connection(owning: OwnedFD(owning: try socketConnected(to: address, .datagram)))
  }

  /// Connects to a sequential-packet socket.
  func connectPackets(_ address: String) throws -> Connection {
    Connection(owning: OwnedFD(owning: try socketConnected(to: address, .packets)))
  }

  /// Connects, sends one line, returns the answer and disconnects.
  func ask(_ address: String, _ line: String) throws -> String { try connect(address).ask(line) }

  private enum Kind: Int32 {
    case stream = 1, datagram, packets = 5
  }

  private func socketConnected(to text: String, _ kind: Kind) throws -> Int32 {
    try inside {
      var address = try Address(text)
      let type = kind.rawValue | Int32(SOCK_CLOEXEC.rawValue)
      let fd = OwnedFD(owning: try retrying("socket") { socket(address.family, type, 0) })
      if kind == .datagram, address.family == AF_UNIX {
        // The autobind feature of unix(7) assigns a unique name, so that the peer can answer.
        var family = sa_family_t(AF_UNIX)
        _ = try withUnsafePointer(to: &family) { pointer in
          try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
            try retrying("bind") { bind(fd.raw, name, socklen_t(MemoryLayout<sa_family_t>.size)) }
          }
        }
      }
      try retrying("connect \(text)") { address.withPointer { Glibc.connect(fd.raw, $0, $1) } }
      return fd.release()
    }
  }
}
