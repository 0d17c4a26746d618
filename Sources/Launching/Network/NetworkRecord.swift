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
    /// Its name on the host.
    var host: String
    /// Its name in the guest.
    var guest: String
    /// Its name during the move, which no other interface has.
    var transit = "dormouse" + String(UInt32.random(in: 0..<1 << 30), radix: 36)
    /// Its index in the guest's namespace, which does not change when the guest renames it; 0 before the move.
    var index: Int32 = 0
    /// As in `Link`, read in the guest's namespace before any process of the guest was there.
    var kind: String?
    var origin = Link.Origin()
    /// What the guest can change of it, as it was before the move: the hardware address, and `mtu` and `handling` of `Link`.
    var address: [UInt8] = []
    var mtu: UInt32 = 0
    var handling: UInt32 = 0
    /// Its alternative names on the host.
    var alternatives: [String] = []
  }

  init() {}

  /// Reads `text`. Damaged lines are skipped.
  init(_ text: String) {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ").map(String.init)
      switch (words.first, words.count) {
      case ("interface", 12...): interfaces.append(Interface(record: words))
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
      interfaces.map(\.record) + links.map { "link \($0)" }
      + zones.map { "zone \($0)" } + (hostEnd.map { ["host-end \($0)"] } ?? []) + ports.map { "port \($0)" }
    return lines.map { $0 + "\n" }.joined()
  }
}

extension NetworkRecord.Interface {
  /// Reads the words of `record`, of which there are twelve or more.
  fileprivate init(record words: [String]) {
    self.init(host: words[1], guest: words[2], transit: words[3], index: Int32(words[4]) ?? 0)
    kind = words[5] == "-" ? nil : words[5]
    origin.lower = Int32(words[6])
    origin.namespace = Int32(words[7])
    origin.address = Self.bytes(words[8])
    address = Self.bytes(words[9])
    mtu = UInt32(words[10]) ?? 0
    handling = UInt32(words[11]) ?? 0
    alternatives = Array(words[12...])
  }

  private static func bytes(_ word: String) -> [UInt8] {
    word.split(separator: ":").compactMap { UInt8($0, radix: 16) }
  }

  private static func word(_ bytes: [UInt8]) -> String {
    bytes.isEmpty ? "-" : bytes.map { String($0, radix: 16) }.joined(separator: ":")
  }

  /// `interface HOST GUEST TRANSIT INDEX KIND LOWER NAMESPACE PERMANENT-ADDRESS ADDRESS MTU HANDLING ALTERNATIVE...`, with `-` for what it
  /// does not have.
  fileprivate var record: String {
    let words = [
      "interface", host, guest, transit, "\(index)", kind ?? "-", origin.lower.map(String.init) ?? "-",
      origin.namespace.map(String.init) ?? "-", Self.word(origin.address), Self.word(address), "\(mtu)", "\(handling)",
    ]
    return (words + alternatives).joined(separator: " ")
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
