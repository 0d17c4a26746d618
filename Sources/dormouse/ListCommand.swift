import ArgumentParser
import ControlProtocol

struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List all guests.",
    discussion: """
      With --json, prints an array of objects: name, state (inactive, activating, active, frozen, deactivating, failed, \
      bad_setting), \
      since, sockets (addresses), connections, wakes, pid (of the guest's PID 1, or null), and note (what is wrong with \
      it, or null).
      """)

  @OptionGroup var runtime: RuntimeOption
  @ParentCommand var dormouse: Dormouse
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    try reportingFailure {
      () throws(Failure) in
      let guests = try runtime.daemons(dormouse.runtime).list()
      if json { return printJSON(guests) }
      let now = Timestamp.now
      var table = Table(["GUEST", "STATE", "SINCE", "CONNECTIONS", "WAKES", "PID", "SOCKETS"], right: [3, 4, 5])
      for guest in guests {
        table.add([
          guest.name, guest.state.word, guest.since.relative(to: now), "\(guest.connections)", "\(guest.wakes)",
          guest.pid.map { "\($0)" } ?? "-", guest.sockets.joined(separator: " "),
        ])
      }
      print(table.text, terminator: "")
      for guest in guests { if let note = guest.note { print(plainText("\(guest.name): \(note)")) } }
    }
  }
}
