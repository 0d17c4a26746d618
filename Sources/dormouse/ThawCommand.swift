import ArgumentParser
import ControlProtocol

struct ThawCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "thaw", abstract: "Let a frozen guest go on; any other is left as it is.")

  @OptionGroup var guest: GuestArgument
  @OptionGroup var runtime: RuntimeOption
  @ParentCommand var dormouse: Dormouse

  func run() throws {
    try reportingFailure {
      () throws(Failure) in
      guard case .done = try runtime.daemons(dormouse.runtime).ask(.thaw(name: guest.name), of: guest.name) else {
        throw .otherReply
      }
    }
  }
}
