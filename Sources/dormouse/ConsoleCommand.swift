import ArgumentParser
import ControlProtocol
import Linux

struct ConsoleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "console", abstract: "Connect to the console, or another terminal, of a guest.",
    discussion: """
      Press Ctrl-] three times within a second to disconnect. The guest must be running; it is not frozen or stopped for \
      idleness while somebody is connected. The settings of your terminal are restored at the end.
      """)

  @OptionGroup var guest: GuestArgument
  @OptionGroup var runtime: RuntimeOption
  @ParentCommand var dormouse: Dormouse
  @Option(help: "Connect to this terminal of Terminals= in the guest file, counted from 1.") var terminal: Int?

  func run() throws {
    try reportingFailure {
      () throws(Failure) in
      let daemons = runtime.daemons(dormouse.runtime)
      let socket = try daemons.upgrade(
        .attach(name: guest.name, terminal: terminal, size: Self.size), of: guest.name)
      let end: End
      do throws(SystemError) {
        end = try session(TerminalExchange(socket), daemons)
      } catch {
        throw .system(error)
      }
      switch end {
      case .left: complain("\ndormouse: disconnected from \(guest.name), which keeps running\n")
      case .guestEnded: complain("\ndormouse: the terminal of \(guest.name) was closed\n")
      case .asked: throw .interrupted
      }
    }
  }

  private enum End {
    case left, guestEnded, asked
  }

  private static var size: TerminalSize? {
    TerminalExchange.size.map { TerminalSize(rows: $0.rows, columns: $0.columns) }
  }

  private func session(_ exchange: consuming TerminalExchange, _ daemons: Daemons) throws(SystemError) -> End {
    var detach = DetachSequence()
    while true {
      switch try exchange.next() {
      case .typed(let bytes):
        if let count = detach.complete(with: bytes, at: Clocks.monotonic) {
          try? exchange.send(Array(bytes[..<count]))
          return .left
        }
        try exchange.send(bytes)
      case .inputEnded: exchange.finish()
      case .arrived(let bytes): try exchange.show(bytes)
      case .closed: return .guestEnded
      case .resized:
        // An error is ignored: at worst the guest's output does not fit the window.
        if let size = Self.size {
          _ = try? daemons.ask(.resize(name: guest.name, terminal: terminal, size: size), of: guest.name)
        }
      case .asked: return .asked
      }
    }
  }
}
