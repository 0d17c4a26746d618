import GuestSpec

/// `BindUser=`: the homes of the host's users in /run/host/home, and their user records in /run/host/userdb (nss-systemd(8)).
extension PlanBuilder {
  private static let userDatabase = "/run/host/userdb"

  mutating func openHomes() {
    for user in facts.boundUsers {
      let slot = open(user.host.home, [.noSetUID, .noDevices], recursive: true)
      if let users = self.slot(of: .mapping(user.map(in: facts.users?.map))) {
        steps.append(.map(slot: slot, users: users, source: user.host.home, recursive: user.mapsBelow))
      }
      hostSlots[user.home] = slot
    }
  }

  mutating func showUsers() {
    if facts.boundUsers.isEmpty { return }
    for path in ["/run/host/home", Self.userDatabase] { steps.append(.makeDirectory(path: path, mode: 0o755)) }
    for user in facts.boundUsers {
      attachHost(user.home, user.host.home, at: user.home)
      for record in user.records(shell: guest.files.bindUserShell) {
        let file = user.host.name + record.suffix
        steps.append(
          .writeFile(path: "\(Self.userDatabase)/\(file)", mode: record.mode, contents: record.contents))
        // nss-systemd looks records up by ID too.
        steps.append(.makeLink(path: "\(Self.userDatabase)/\(user.id)\(record.suffix)", target: file))
      }
    }
  }
}
