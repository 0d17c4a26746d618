import ArgumentParser
import ControlProtocol

struct WakeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wake", abstract: "Start a guest, and return when it is ready.")

  @OptionGroup var guest: GuestArgument
  @OptionGroup var runtime: RuntimeOption
  @ParentCommand var dormouse: Dormouse

  func run() throws {
    try reportingFailure {
      () throws(Failure) in
      guard case .done = try runtime.daemons(dormouse.runtime).ask(.wake(name: guest.name), of: guest.name) else {
        throw .otherReply
      }
    }
  }
}
