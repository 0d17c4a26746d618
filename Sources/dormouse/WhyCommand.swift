import ArgumentParser
import ControlProtocol

struct WhyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "why", abstract: "Explain what keeps a guest awake, or what would wake it.",
    discussion: "With --json, prints an object: the type GuestExplanation of the interface io.dormouse.Manager.")

  @OptionGroup var guest: GuestArgument
  @OptionGroup var runtime: RuntimeOption
  @ParentCommand var dormouse: Dormouse
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    try reportingFailure {
      () throws(Failure) in
      let reply = try runtime.daemons(dormouse.runtime).ask(.why(name: guest.name), of: guest.name)
      guard case .why(let explanation) = reply else { throw .otherReply }
      if json { return printJSON(explanation) }
      print(WhyText(explanation, now: .now).text, terminator: "")
    }
  }
}
