import ControlProtocol
import Foundation
import Glibc
import Testing

/// Guests that turn their sockets against the host, the daemon or a neighbour.
@Suite("A guest that misuses its sockets")
struct HostileSocketTests {
  @Test("a guest that hides its listeners and makes them blocking stops neither the daemon nor a neighbour")
  func hidden() throws {
    try World.with { world in
      let path = world.directory + "/bad"
      try world.addAttacker(
        "bad", "hide", "ListenStream=127.0.0.1:8001", "ListenStream=\(path)", "ListenDatagram=127.0.0.1:8001",
        "ListenDatagram=@bad")
      try world.addTiny("good", "ListenStream=127.0.0.1:8002")
      let daemon = try world.startDaemon()
      // It fails: nobody can reach the guest.
      _ = try world.dormouse("wake", "bad")
      try daemon.waitForLog("serves at 127.0.0.1:8001, so clients are refused")
      var clients: [Connection] = []
      // One who comes while others are refused may not even be connected.
      for address in ["127.0.0.1:8001", path] { clients += (0..<4).compactMap { _ in try? world.connect(address) } }
      for address in ["127.0.0.1:8001", "@bad"] { try world.datagrams(to: address).send("x") }
      let refused = clients.count
      try daemon.until("the clients are refused") {
        try world.status("bad").counters[.connectionsRefused] >= refused
      }
      for client in clients { #expect(try client.line() == nil) }
      clients = (0..<4).compactMap { _ in try? world.connect("127.0.0.1:8001") }
      for client in clients { #expect(try client.line() == nil) }
      #expect(try world.ask("127.0.0.1:8002", "hello") == "hello")
      #expect(try world.list().count == 2)
    }
  }

  @Test("a descriptor that a guest attaches to a message does not reach the daemon, or is closed beside the loop")
  func attached() throws {
    try World.with { world in
      try world.addAttacker("bad", "attach")
      try world.startDaemon()
      try world.wake("bad")
      let console = try world.console("bad")
      // SO_PASSRIGHTS came with Linux 6.16.
      let answer = kernelRelease >= (6, 16) ? "Operation not permitted" : "sent"
      #expect(console.contains("attached: \(answer)"), "\(console)")
    }
  }

  @Test("a guest with a network of its own cannot reach the host's through its sockets, and serves by them")
  func wayOut() throws {
    try World.with { world in
      let name = world.directory + "/bad.datagrams"
      try world.addAttacker(
        "bad", "wayout", "ListenStream=[::]:8001", "ListenDatagram=[::]:8001", "ListenDatagram=\(name)",
        settings: "[Network]\nPrivate=yes")
      try world.addTiny("secret", "ListenStream=127.0.0.1:9999", "ListenDatagram=127.0.0.1:9999")
      let daemon = try world.startDaemon()
      // Before Linux 6.7 nothing confines the AF_UNIX datagram socket, and the log says so.
      #expect(daemon.log.contains("are a way") == (kernelRelease < (6, 7)), "\(daemon.log)")
      #expect(try world.ask("127.0.0.1:8001", "hello") == "hello")
      #expect(try world.ask("[::1]:8001", "hello") == "hello")
      #expect(try world.datagrams(to: "127.0.0.1:8001").askByDatagram("hello") == "hello")
      #expect(try world.datagrams(to: "[::1]:8001").askByDatagram("hello") == "hello")
      _ = try world.connect("127.0.0.1:8001").hasEnded(asking: "out 9999")
      #expect(try world.datagrams(to: "[::1]:8001").askByDatagram("out 9999") == "out 9999")
      if kernelRelease >= (6, 7) { try world.datagrams(to: name).send("out") }
      #expect(try world.ask("127.0.0.1:8001", "listener 9999") == "listener 9999")
      try daemon.until("the guest has tried all") {
        let console = try world.console("bad")
        return console.contains("open the listener fast")
          && (kernelRelease < (6, 7) || console.contains("connect to a name"))
      }
      let console = try world.console("bad")
      let refused = console.split(whereSeparator: \.isNewline).filter { $0.hasSuffix(": Operation not permitted") }
      #expect(refused.count == (kernelRelease >= (6, 7) ? 9 : 7), "\(console)")
      #expect(!console.contains(": done"), "\(console)")
      #expect(try world.summary("secret").wakes == 0)
      // What it made a listener at another port gets no client: not even an answer that there is one.
      for line in console.split(whereSeparator: \.isNewline) where line.hasPrefix("listening at ") {
        let port = try #require(Int(line.dropFirst(13)))
        if port != 8001 { #expect(try !world.isAnswered(at: port), "\(port)") }
      }
    }
  }

  @Test("what a local user makes beside a path in a directory that all may write to is left alone, and the guest stops")
  func othersDirectory() throws {
    try World.with { world in
      let (place, secret) = (world.directory + "/all", world.directory + "/secret")
      for path in [place, secret] {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      }
      chmod(place, 0o1777)
      let path = place + "/web.sock"
      // The directory in which the daemon would hide a socket leads to another, and below that is root's socket.
      symlink(secret, place + "/.web.sock.dormouse")
      lchown(place + "/.web.sock.dormouse", 1000, 1000)
      let below = secret + path
      try FileManager.default.createDirectory(
        atPath: String(below.dropLast("/web.sock".count)), withIntermediateDirectories: true)
      try "root's".write(toFile: below, atomically: true, encoding: .utf8)
      try world.addTiny("web", "ListenStream=\(path)", settings: "[Guest]\nIdleStopSec=200ms")
      let daemon = try world.startDaemon()
      for round in 1...2 {
        #expect(try world.ask(path, "hello") == "hello")
        try daemon.until("the idle guest was stopped") { try world.status("web").counters[.stops] == round }
      }
      #expect(try daemon.stop() == .exited(0))
      #expect(text(of: below) == "root's")
    }
  }

  /// Linux's version.
  private var kernelRelease: (Int, Int) {
    let numbers = text(of: "/proc/sys/kernel/osrelease").split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    return (numbers.first ?? 0, numbers.last ?? 0)
  }
}

extension World {
  /// Adds a guest whose PID 1 is an attack.
  fileprivate func addAttacker(_ name: String, _ attack: String, _ sockets: String..., settings: String = "") throws {
    let root = try makeTinyRoot(name)
    try copyProgram(try Payload.attack(attack), to: root + "/sbin/attack")
    try addGuest(
      name,
      """
      [Exec]
      Boot=no
      NotifyReady=yes
      Parameters=/sbin/attack
      [Socket]
      \(sockets.joined(separator: "\n"))
      [Guest]
      Directory=\(root)
      IdleStopSec=infinity
      TimeoutStopSec=100ms
      \(settings)
      """)
  }

  /// Whether a connection to a port of loopback is made or refused within a moment. A packet that is dropped has neither answer.
  fileprivate func isAnswered(at port: Int) throws -> Bool {
    try inside {
      var address = try Address("127.0.0.1:\(port)")
      let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
      let raw = socket(AF_INET, type, 0)
      defer { close(raw) }
      if address.withPointer({ Glibc.connect(raw, $0, $1) }) == 0 { return true }
      var entry = pollfd(fd: raw, events: Int16(POLLOUT), revents: 0)
      return poll(&entry, 1, 200) > 0
    }
  }
}

extension Connection {
  /// Sends a line, and returns whether the peer ends the connection.
  fileprivate func hasEnded(asking line: String) throws -> Bool {
    try send(line)
    return try hasEnded()
  }
}
