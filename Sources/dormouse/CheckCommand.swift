import ArgumentParser
import GuestFiles

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Say what is wrong with guest files, without a daemon.",
    discussion: """
      Every problem is printed on a line of its own, as FILE:LINE: what is wrong; a file is read together with its \
      drop-ins NAME.guest.d/*.conf and the NAME.nspawn beside it. A guest with a problem that is marked as a warning is \
      started all the same. Nothing is printed, and the exit status is 0, when all is right; else it is 1.
      """)

  @Argument(help: "Guest files, drop-ins of them, .nspawn files, or directories of guest files.")
  var files: [String]

  func run() throws {
    let diagnostics = GuestFiles.check(paths: files)
    for diagnostic in diagnostics { print(plainText("\(diagnostic)")) }
    if !diagnostics.isEmpty { throw ExitCode.failure }
  }
}
