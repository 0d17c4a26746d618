import ArgumentParser
import ControlProtocol

struct ReloadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload", abstract: "Read the guest files again.",
    discussion: """
      The daemon for all guests adds new guests, stops removed ones, and uses changed files from the next start of each guest on. \
      Fails, and names the lines, if files have errors; the other guests are reloaded all the same.
      """)

  @OptionGroup var runtime: RuntimeOption
  @ParentCommand var dormouse: Dormouse

  func run() throws {
    try reportingFailure {
      () throws(Failure) in
      guard case .done = try runtime.daemons(dormouse.runtime).askCommon(.reload) else { throw .otherReply }
    }
  }
}
