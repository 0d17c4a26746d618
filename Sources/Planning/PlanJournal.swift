import GuestSpec

/// `LinkJournal=`: what the launcher made ready on the host, seen from the guest.
extension PlanBuilder {
  private var place: String { "/var/log/journal/" + facts.machineID }

  mutating func openJournal() {
    guard case .hosts(let directory) = facts.journal else { return }
    let slot = open(directory, [.noSetUID, .noDevices, .noExecute])
    // What the guest's journald writes is the host's root's on the disk, as what the host's own writes.
    if let users = self.slot(of: .users) {
      steps.append(.map(slot: slot, users: users, source: directory, recursive: false))
    }
    hostSlots["journal"] = slot
  }

  mutating func mountJournal() {
    switch facts.journal {
    case .guests: break
    case .linked: steps.append(.makeDirectory(path: place, mode: 0o755))
    case .hosts(let directory): attachHost("journal", directory, at: place)
    }
  }
}
