import ControlProtocol

/// What `dormouse why` tells a person.
struct WhyText {
  private let guest: GuestExplanation
  private let now: Timestamp

  init(_ guest: GuestExplanation, now: Timestamp) {
    self.guest = guest
    self.now = now
  }

  var text: String {
    var lines = ["\(guest.name) is \(guest.state.rawValue), since \(guest.since.relative(to: now))."]
    lines += guest.reasons.map { "The reason: \($0)." }
    if let retry = guest.retryAt {
      lines.append("No connection wakes it now; it will be tried again \(retry.relative(to: now)).")
    }
    if let idle = guest.idleSince { lines.append("Nobody uses it; the last use ended \(idle.relative(to: now)).") }
    if let stop = guest.stopAt {
      lines.append("It will be stopped \(stop.relative(to: now)), if nothing uses it until then.")
    }
    if !guest.wakeBy.isEmpty { lines.append("A connection wakes it, to: \(guest.wakeBy.joined(separator: " "))") }
    if !guest.connections.isEmpty { lines.append("These connections keep it awake:") }
    return lines.map { plainText($0) + "\n" }.joined() + connections
  }

  private var connections: String {
    if guest.connections.isEmpty { return "" }
    var table = Table(["SOCKET", "LOCAL", "REMOTE", "STATE", "SINCE", "SILENT FOR"])
    for connection in guest.connections {
      table.add([
        connection.socket, connection.local, connection.remote ?? "-",
        connection.state + (connection.queued ? " (queued)" : ""), connection.since?.relative(to: now) ?? "-",
        connection.silentMs.map { duration(milliseconds: Double($0)) } ?? "-",
      ])
    }
    return table.text
  }
}
