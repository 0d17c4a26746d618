import GuestSpec
import Linux

/// What the network of a running guest uses of the host: as much as a later daemon needs to undo it. It is kept in a text file with one
/// line for each item.
struct NetworkRecord: Equatable {
  /// The host's interfaces that the guest has.
  var interfaces: [Interface] = []
  /// The host's ends of virtual Ethernets.
  var links: [String] = []
  /// The bridges that are removed with their last port.
  var zones: [String] = []
  /// `NetworkPlan.hostEnd`.
  var hostEnd: String?
  var ports: [ForwardedPort] = []

  struct Interface: Equatable {
    var host: String
    var guest: String
    /// The interface's index in the guest's namespace, which stays when the guest renames it; 0 before it is moved.
    var index: Int32 = 0
  }

  init() {}

  /// Reads `text`. Damaged lines are skipped.
  init(_ text: String) {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ").map(String.init)
      switch (words.first, words.count) {
      case ("interface", 4): interfaces.append(Interface(host: words[1], guest: words[2], index: Int32(words[3]) ?? 0))
      case ("link", 2): links.append(words[1])
      case ("zone", 2): zones.append(words[1])
      case ("host-end", 2): hostEnd = words[1]
      case ("port", 2): ports += ForwardedPort(record: words[1]).map { [$0] } ?? []
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
  /// Reads a port as the record has it, `tcp:8080:80`.
  fileprivate init?(record: String) {
    let parts = record.split(separator: ":")
    guard parts.count == 3, let transport = TransportProtocol(rawValue: String(parts[0])),
      let host = UInt16(parts[1]), let guest = UInt16(parts[2])
    else { return nil }
    self.init(transport, host: host, guest: guest)
  }
}
