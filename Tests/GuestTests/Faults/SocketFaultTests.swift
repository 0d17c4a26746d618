import ControlProtocol
import Foundation
import Glibc
import Linux
import Testing

@Suite("A socket")
struct SocketFaultTests {
  @Test("a socket whose address is in use is reported and retried, and other guests are not affected")
  func inUse() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      try world.addTiny("other", "ListenStream=127.0.0.1:8002")
      var occupation: Occupation? = try world.occupy("127.0.0.1:8001")
      let daemon = try world.startDaemon()
      let message = "cannot bind sockets: bind 127.0.0.1:8001: Address already in use; pausing"
      try daemon.waitForLog("\(message) for 500 ms")
      try daemon.waitForLog("\(message) for 1.0 s")
      #expect(try world.summary("echo").state == .failed)
      #expect(try world.ask("127.0.0.1:8002", "hello") == "hello")
      withExtendedLifetime(occupation) {}
      occupation = nil
      try daemon.waitForLog("echo: asleep")
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
    }
  }

  @Test("the other sockets of a guest stay bound when one address is in use, and all serve when it is free")
  func someInUse() throws {
    try World.with { world in
      try world.addTiny(
        "echo", "ListenStream=127.0.0.1:8001", "ListenStream=127.0.0.1:8002", "ListenStream=127.0.0.1:8003")
      var occupation: Occupation? = try world.occupy("127.0.0.1:8002")
      let daemon = try world.startDaemon()
      try daemon.waitForLog("bind 127.0.0.1:8002: Address already in use")
      let early = try world.connect("127.0.0.1:8001")
      withExtendedLifetime(occupation) {}
      occupation = nil
      #expect(try early.ask("early") == "early")
      for port in 8002...8003 { #expect(try world.ask("127.0.0.1:\(port)", "hello") == "hello") }
      let held = try world.status("echo").sockets
      #expect(held.map(\.address) == ["127.0.0.1:8001", "127.0.0.1:8002", "127.0.0.1:8003"])
    }
  }

  @Test("a socket whose path was removed is bound again after the next stop, with its directory")
  func pathGone() throws {
    try World.with { world in
      let path = world.directory + "/below/echo.sock"
      try world.addTiny("echo", "ListenStream=\(path)")
      try world.startDaemon()
      try FileManager.default.removeItem(atPath: world.directory + "/below")
      #expect(throws: (any Error).self) { try world.connect(path) }
      try world.wake("echo")
      try world.sleep("echo")
      #expect(try world.ask(path, "hello") == "hello")
    }
  }

  @Test("a socket does not replace a file of another program at its path")
  func foreignFile() throws {
    try World.with { world in
      let path = world.directory + "/precious"
      try "precious".write(toFile: path, atomically: false, encoding: .utf8)
      try world.addTiny("echo", "ListenStream=\(path)")
      let daemon = try world.startDaemon()
      try daemon.waitForLog("which is not a socket")
      #expect(text(of: path) == "precious")
      unlink(path)
      try daemon.waitForLog("asleep; listening on")
      #expect(try world.ask(path, "hello") == "hello")
    }
  }
}

@Suite("The control socket")
struct ControlFaultTests {
  @Test("the control socket stays available, and guests wake and sleep, whatever its clients send or do not read")
  func badClients() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      try world.wake("echo")
      try world.sleep("echo")
      let before = daemon.descriptors.count
      var clients: [OwnedConnection] = []
      for number in 0..<40 {
        let client = try OwnedConnection(to: world.runtime + "/io.dormouse")
        switch number % 4 {
        case 0: client.send((0..<5000).map { _ in UInt8.random(in: .min ... .max) })
        case 1: client.flood(Array(#"{"method":"io.dormouse.Manager.List","parameters":{}}"#.utf8) + [0])
        case 2: client.send(Array(repeating: UInt8(ascii: "["), count: 100_000))
        default: break
        }
        clients.append(client)
        if number % 4 == 0 {
          #expect(try world.ask("127.0.0.1:8001", "hello \(number)") == "hello \(number)")
          try world.sleep("echo")
        }
      }
      #expect(try world.summary("echo").wakes == 11)
      clients = []
      try daemon.until("every descriptor is closed") { daemon.descriptors.count <= before }
    }
  }

  @Test("a request to wake is carried out although its client disconnects at once")
  func hangsUp() throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      let client = try OwnedConnection(to: world.runtime + "/io.dormouse")
      let call = #"{"method":"io.dormouse.Manager.Wake","parameters":{"name":"echo"},"oneway":true}"#
      client.send(Array(call.utf8) + [0])
      withExtendedLifetime(client) {}
      try daemon.waitForLog("ready after")
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
    }
  }
}

/// A client of the control socket that violates the protocol.
private final class OwnedConnection {
  private let socket: OwnedFD

  init(to path: String) throws { socket = try UnixStream.connect(to: path) }

  /// Sends as much as the daemon receives without blocking.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    Glibc.send(socket.raw, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)) == bytes.count
  }

  /// Sends until the daemon receives no more, and reads nothing.
  func flood(_ bytes: [UInt8]) {
    var goesOn = true
    while goesOn { goesOn = send(bytes) }
  }
}
