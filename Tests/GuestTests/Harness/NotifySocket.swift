import CLinux
import Glibc
import Linux

/// The receiving end of sd_notify(3), as in a service manager.
final class NotifySocket {
  let path: String
  private var socket: OwnedFD?

  init(_ path: String) throws {
    unlink(path)
    let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let socket = OwnedFD(owning: try retrying("socket") { Glibc.socket(AF_UNIX, kind, 0) })
    var address = try Address(path)
    try retrying("bind \(path)") { address.withPointer { bind(socket.raw, $0, $1) } }
    self.path = path
    self.socket = consume socket
  }

  /// Refuses further messages, because a queue that nobody reads would block its senders.
  func close() { socket = nil }

  /// Fills the queue until it is read.
  func fill() throws(SystemError) {
    do throws(SystemError) {
      while true { try sendDatagram(Array("X_FILLER=1".utf8), to: .path(path)) }
    } catch {
      if error.errno != EAGAIN { throw error }
    }
  }

  /// Returns the assignments up to and including READY=1; throws when `child` ends before that.
  @discardableResult
  func waitUntilReady(_ child: Child) throws -> [String: String] {
    var assignments: [String: String] = [:]
    while assignments["READY"] != "1" {
      for line in try message(from: child).split(separator: "\n") {
        let parts = line.split(separator: "=", maxSplits: 1)
        if parts.count == 2 { assignments[String(parts[0])] = String(parts[1]) }
      }
    }
    return assignments
  }

  /// The next message; throws when there is none and `child` has ended.
  func message(from child: Child) throws -> String {
    guard let raw = socket?.raw else { throw Trouble("the notify socket was closed") }
    let end = ContinuousClock.now + .seconds(deadline)
    // The end of the process is checked between short waits, because a message may be queued when it has ended.
    while !isReadable(raw, within: 0.1) {
      guard child.isRunning else { throw Trouble("\(child.arguments) ended: \(child.wait().map { "\($0)" } ?? "?")") }
      guard ContinuousClock.now < end else { throw Trouble("\(child.arguments) did not become ready") }
    }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = recv(raw, &buffer, buffer.count, 0)
    return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
  }
}
