import GuestSpec

/// `LinkJournal=`: mounts the directory that the daemon has prepared on the host.
struct JournalSteps {
  /// Opens the host's directory.
  private(set) var opening: [Step] = []
  /// Gives the guest its directory in /var/log/journal.
  private(set) var mounting: [Step] = []

  init(_ facts: StartFacts, _ slots: inout Slots) {
    let place = "/var/log/journal/" + facts.identity.machineID
    switch facts.hostSide.journal {
    case .guests: break
    case .linked: mounting.append(.makeDirectory(path: place, mode: 0o755))
    case .hosts(let directory):
      let source = slots.open(directory, [.noSetUID, .noDevices, .noExecute])
      opening.append(source.opening)
      // Mapped, so that the guest's journal files belong to the host's root on the disk, as the host's own do.
      if let users = slots.slot(of: .users) { opening.append(source.mapped(by: users, recursive: false)) }
      mounting.append(source.attached(at: place))
    }
  }
}
