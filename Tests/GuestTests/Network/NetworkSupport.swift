import Foundation
import Glibc

/// An interface as `ip -json -details link` prints it.
struct Interface: Decodable, Equatable {
  var ifname: String
  var address: String?
  var flags: [String] = []
  var master: String?
  var altnames: [String]?
  var linkinfo: Info?

  struct Info: Decodable, Equatable {
    var kind: String?

    enum CodingKeys: String, CodingKey {
      case kind = "info_kind"
    }
  }

  var kind: String? { linkinfo?.kind }
  var isUp: Bool { flags.contains("UP") }
}

extension World {
  /// The interfaces of this world's network.
  func interfaces() throws -> [Interface] { try decodeInterfaces(run(["ip", "-json", "-details", "link"])) }

  func interface(_ name: String) throws -> Interface? { try interfaces().first { $0.ifname == name } }

  /// The interfaces of the network namespace of a process.
  func interfaces(of pid: Int32) throws -> [Interface] {
    try decodeInterfaces(inNetwork(of: pid, "ip", "-json", "-details", "link"))
  }

  /// Runs a command of this machine in the network namespace of a process.
  @discardableResult
  func inNetwork(of pid: Int32, _ arguments: String...) throws -> Outcome {
    let outcome = try run(["nsenter", "--net=/proc/\(pid)/ns/net"] + arguments)
    guard outcome.succeeded else { throw Trouble("\(arguments.joined(separator: " ")): \(outcome.errors)") }
    return outcome
  }

  /// Runs `ip ARGUMENTS` in this world's network.
  func ip(_ arguments: String) throws {
    let outcome = try run(["ip"] + arguments.split(separator: " ").map(String.init))
    guard outcome.succeeded else { throw Trouble("ip \(arguments): \(outcome.errors)") }
  }

  /// Starts a tiny-init that answers at `address` in the network namespace of a process, which must have that address.
  func serve(in pid: Int32, at address: String) throws {
    _ = try start([
      "nsenter", "--net=/proc/\(pid)/ns/net", "systemd-socket-activate", "--listen", address, try Payload.tinyInit(),
    ])
    guard let daemon else { throw Trouble("no daemon is running") }
    try daemon.until("\(address) has a listener") {
      try inNetwork(of: pid, "ss", "-Hln", "src", address).output.contains(address)
    }
  }

  /// Sends a line from the network namespace of a process to a server, and returns the answer.
  func ask(_ host: String, _ port: Int, _ line: String, from pid: Int32, over kind: String = "tcp") throws -> String {
    // The shell's read reads single bytes, which loses the rest of a datagram.
    let script = "exec 3<>/dev/\(kind)/\(host)/\(port) && echo \(line) >&3 && timeout 10 head --lines=1 <&3"
    return try inNetwork(of: pid, "bash", "-c", script).output.trimmingCharacters(in: .newlines)
  }

  /// Wakes a guest and returns its PID 1.
  func wakeTiny(_ name: String, network: String, users: String = "pick") throws -> Int32 {
    try addTiny(name, settings: "[Exec]\nPrivateUsers=\(users)\n[Network]\n\(network)")
    try startDaemon()
    try wake(name)
    return try leader(of: name)
  }

  private func decodeInterfaces(_ outcome: Outcome) throws -> [Interface] {
    // ip prints an empty object for each interface of another kind.
    let all = try JSONDecoder().decode([Loose].self, from: Data(outcome.output.utf8))
    return all.compactMap(\.interface)
  }

  private struct Loose: Decodable {
    var interface: Interface?

    init(from decoder: any Decoder) throws { interface = try? Interface(from: decoder) }
  }
}
