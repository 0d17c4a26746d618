import ArgumentParser
import GuestFiles

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check guest files, without a daemon.",
    discussion: """
      Prints each problem on a line, as FILE:LINE: error: MESSAGE or FILE:LINE: warning: MESSAGE. A guest file is read together with its drop-ins \
      NAME.guest.d/*.conf and the file NAME.nspawn beside it, and compared with this host and with the guest's root. A warning does not prevent a guest from starting. \
      If there are no problems, nothing is printed and the exit status is 0; otherwise it is 1.
      """)

  @Argument(help: "Guest files, their drop-ins, .nspawn files, or directories of guest files.")
  var files: [String]

  func run() throws {
    let diagnostics = GuestFiles.check(paths: files)
    for diagnostic in diagnostics {
      print(plainText("\(diagnostic.place): \(diagnostic.severity.rawValue): \(diagnostic.message)"))
    }
    if !diagnostics.isEmpty { throw ExitCode.failure }
  }
}
