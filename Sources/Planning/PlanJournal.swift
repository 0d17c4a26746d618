import GuestSpec

/// `LinkJournal=`: mounts the directory that the daemon has prepared on the host.
extension PlanBuilder {
  private var place: String { "/var/log/journal/" + facts.machineID }

  mutating func openJournal() {
    guard case .hosts(let directory) = facts.journal else { return }
    let slot = open(directory, [.noSetUID, .noDevices, .noExecute])
    // Mapped, so that the guest's journal files belong to the host's root on the disk, as the host's own do.
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
