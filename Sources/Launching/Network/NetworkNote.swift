import GuestSpec
import Linux

/// What of the host belongs to the network of a guest that runs: so much as a later daemon needs to undo it. Kept in a file of one
/// line for each, which a person can read.
struct NetworkNote: Equatable {
  /// The host's interfaces that the guest has.
  var interfaces: [Interface] = []
  /// The host's ends of virtual Ethernets.
  var links: [String] = []
  /// The bridges that go with their last port.
  var zones: [String] = []
  /// `NetworkPlan.hostEnd`.
  var hostEnd: String?
  var ports: [ForwardedPort] = []

  struct Interface: Equatable {
    var host: String
    var guest: String
    /// Its number in the guest's namespace, by which it is found whatever the guest calls it; 0: not moved yet.
    var index: Int32 = 0
  }

  init() {}

  /// Lines that say nothing are left out.
  init(_ text: String) {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ").map(String.init)
      switch (words.first, words.count) {
      case ("interface", 4): interfaces.append(Interface(host: words[1], guest: words[2], index: Int32(words[3]) ?? 0))
      case ("link", 2): links.append(words[1])
      case ("zone", 2): zones.append(words[1])
      case ("host-end", 2): hostEnd = words[1]
      case ("port", 2): ports += ForwardedPort(note: words[1]).map { [$0] } ?? []
      default: break
      }
    }
  }

  var text: String {
    let lines =
      interfaces.map { "interface \($0.host) \($0.guest) \($0.index)" } + links.map { "link \($0)" }
      + zones.map { "zone \($0)" } + (hostEnd.map { ["host-end \($0)"] } ?? []) + ports.map { "port \($0)" }
    return lines.map { $0 + "\n" }.joined()
  }
}

extension ForwardedPort {
  /// `tcp:8080:80`.
  fileprivate init?(note: String) {
    let parts = note.split(separator: ":")
    guard parts.count == 3, let transport = TransportProtocol(rawValue: String(parts[0])),
      let host = UInt16(parts[1]), let guest = UInt16(parts[2])
    else { return nil }
    self.init(transport, host: host, guest: guest)
  }
}
