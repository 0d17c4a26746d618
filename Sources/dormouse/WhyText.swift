import ControlProtocol

/// The output of `dormouse why` for a person.
struct WhyText {
  private let guest: GuestExplanation
  private let now: Timestamp

  init(_ guest: GuestExplanation, now: Timestamp) {
    self.guest = guest
    self.now = now
  }

  var text: String {
    var lines = ["\(guest.name) is \(guest.state.word), since \(guest.since.relative(to: now))."]
    lines += guest.reasons.map { "Reason: \($0)." }
    // The units of a guest that sleeps failed in its last run.
    let isOver = guest.state == .inactive || guest.state == .failed
    lines += guest.failedUnits.map { isOver ? "In the guest, \($0.wordsOfLastRun)." : "In the guest, \($0)." }
    if let retry = guest.retryAt {
      lines.append(
        "No connection wakes it now; the next attempt is \(retry.relative(to: now)), or now with "
          + "`dormouse wake \(guest.name)`.")
    } else if guest.state == .failed {
      lines.append("The next attempt is made for the next client, or now with `dormouse wake \(guest.name)`.")
    }
    if let idle = guest.idleSince { lines.append("It is idle; the last use ended \(idle.relative(to: now)).") }
    if let freeze = guest.freezeAt {
      lines.append("It will be frozen \(freeze.relative(to: now)), unless somebody uses it.")
    }
    if let stop = guest.stopAt {
      lines.append("It will be stopped \(stop.relative(to: now)), unless somebody uses it.")
    }
    if !guest.wakeBy.isEmpty {
      lines.append("A connection to one of these wakes it: \(guest.wakeBy.joined(separator: " "))")
    }
    if !guest.connections.isEmpty { lines.append(heading) }
    return lines.map { plainText($0) + "\n" }.joined() + connections
  }

  /// The heading above the connections: what they keep from happening.
  private var heading: String {
    if guest.state == .frozen { return "It is frozen with these connections open, which keep it from being stopped:" }
    return guest.freezeAt == nil ? "These connections keep it awake:" : "These connections keep it from being stopped:"
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
