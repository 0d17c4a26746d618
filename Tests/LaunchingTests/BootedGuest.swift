import Glibc
import GuestSpec
import Launching
import Linux
import Planning

/// A guest with systemd as PID 1. While a test waits, its console is drained and its notify socket is read.
final class BootedGuest {
  let guest: TestGuest
  let process: GuestProcess
  private let notify: OwnedFD
  private(set) var console = ""
  /// The received lines `KEY=value`, in order.
  private(set) var messages: [String] = []

  init(_ guest: TestGuest, _ spec: Guest) throws {
    self.guest = guest
    let path = guest.directory + "/notify"
    notify = try Self.bindDatagram(path)
    var facts = try guest.facts(for: spec)
    facts.hostSide.notifySocket = path
    process = try guest.launch(plan(spec, facts))
  }

  /// Waits until `isDone`, or until nothing has arrived for two minutes.
  func run(until isDone: (BootedGuest) throws -> Bool) throws -> Bool {
    var chunk = [UInt8](repeating: 0, count: 16384)
    while try !isDone(self) {
      var polled = [process.console ?? -1, notify.raw, process.pidfd.raw].map {
        pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
      }
      if try retrying("poll", { poll(&polled, 3, 120_000) }) == 0 { return false }
      if let console = process.console, case let count = read(console, &chunk, chunk.count), count > 0 {
        self.console += String(decoding: chunk[..<count], as: UTF8.self)
      }
      let count = recv(notify.raw, &chunk, chunk.count, Int32(MSG_DONTWAIT))
      if count > 0 {
        messages += String(decoding: chunk[..<count], as: UTF8.self).split(separator: "\n").map(String.init)
      }
      if polled[2].revents != 0 { return try isDone(self) }
    }
    return true
  }

  var isReady: Bool { messages.contains("READY=1") }

  /// Reaps PID 1 after reading its last output and messages.
  func ending() throws -> ExitStatus? {
    var status: ExitStatus?
    _ = try run { _ in
      status = try process.reap()
      return status != nil
    }
    return status
  }

  /// Runs a command of the host in the guest's namespaces, and returns its output without the last newline.
  func run(_ command: String) throws -> String {
    let escaped = command.replacing("'", with: "'\\''")
    guard let pipe = popen("nsenter -t \(process.pid) -m -u -i -n -p -C -r -- /bin/sh -c '\(escaped)' 2>&1", "r") else {
      throw SystemError("popen", errno: errno)
    }
    var output = ""
    var line = [CChar](repeating: 0, count: 4096)
    while fgets(&line, Int32(line.count), pipe) != nil {
      output += String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    pclose(pipe)
    return output.last == "\n" ? String(output.dropLast()) : output
  }

  private static func bindDatagram(_ path: String) throws -> OwnedFD {
    let flags = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = OwnedFD(owning: try retrying("socket") { socket(AF_UNIX, flags, 0) })
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    _ = try withUnsafePointer(to: &address) { pointer throws in
      try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address throws in
        try retrying("bind \(path)") { bind(descriptor.raw, address, socklen_t(MemoryLayout<sockaddr_un>.size)) }
      }
    }
    return descriptor
  }
}
