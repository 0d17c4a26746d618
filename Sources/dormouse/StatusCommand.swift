import ArgumentParser
import ControlProtocol

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show the state of a guest.",
    discussion: "With --json, prints an object: the type GuestStatus of the interface io.dormouse.Manager.")

  @OptionGroup var guest: GuestArgument
  @OptionGroup var runtime: RuntimeOption
  @ParentCommand var dormouse: Dormouse
  @Flag(help: "Print JSON.") var json = false
  @Flag(help: "Also show the last console output of the guest, at most 64 KiB.") var console = false

  func run() throws {
    try reportingFailure {
      () throws(Failure) in
      let call = Call.status(name: guest.name, console: console)
      guard case .status(let status) = try runtime.daemons(dormouse.runtime).ask(call, of: guest.name) else {
        throw .otherReply
      }
      if json { return printJSON(status) }
      print(StatusText(status, now: .now).text, terminator: "")
    }
  }
}
