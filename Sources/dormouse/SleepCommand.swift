import ArgumentParser
import ControlProtocol

struct SleepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sleep", abstract: "Halt a guest cleanly, and return when it is gone.",
    discussion:
      "A guest that is in use is left alone: `dormouse why NAME` tells by whom. With --now it is halted all the same.")

  @OptionGroup var guest: GuestArgument
  @OptionGroup var runtime: RuntimeOption
  @ParentCommand var dormouse: Dormouse
  @Flag(help: "Halt it although it is in use.") var now = false

  func run() throws {
    try reportingFailure {
      () throws(Failure) in
      let call = Call.sleep(name: guest.name, now: now)
      guard case .done = try runtime.daemons(dormouse.runtime).ask(call, of: guest.name) else { throw .otherReply }
    }
  }
}
