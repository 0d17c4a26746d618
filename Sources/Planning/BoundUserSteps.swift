import GuestSpec

/// `BindUser=`: the homes of the host's users in /run/host/home, and their user records in /run/host/userdb (nss-systemd(8)).
struct BoundUserSteps {
  /// Opens the homes.
  private(set) var opening: [Step] = []
  /// Shows the users to the guest.
  private(set) var showing: [Step] = []

  private static let userDatabase = "/run/host/userdb"

  init(_ guest: Guest, _ facts: StartFacts, _ slots: inout Slots) {
    if facts.boundUsers.isEmpty { return }
    for path in ["/run/host/home", Self.userDatabase] { showing.append(.makeDirectory(path: path, mode: 0o755)) }
    for user in facts.boundUsers {
      let home = slots.open(user.host.home, [.noSetUID, .noDevices], recursive: true)
      opening.append(home.opening)
      if let users = slots.slot(of: .mapping(user.map(in: facts.users?.map))) {
        opening.append(home.mapped(by: users, recursive: user.mapsBelow))
      }
      showing.append(home.attached(at: user.home))
      for record in user.records(shell: guest.files.bindUserShell) {
        let file = user.host.name + record.suffix
        showing.append(
          .writeFile(path: "\(Self.userDatabase)/\(file)", mode: record.mode, contents: record.contents))
        // nss-systemd looks records up by ID too.
        showing.append(.makeLink(path: "\(Self.userDatabase)/\(user.id)\(record.suffix)", target: file))
      }
    }
  }
}
