import ArgumentParser
import ControlProtocol
import Linux

struct ConsoleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "console", abstract: "Sit at a guest's console, or at another terminal of it.",
    discussion:
      "What the guest shows is shown, what is typed is typed there; pressing Ctrl-] three times within a second leaves. The guest must "
      + "run, and is not stopped or frozen for idleness meanwhile. Nothing of the terminal is left changed, however it ends."
  )

  @OptionGroup var guest: GuestArgument
  @OptionGroup var runtime: RuntimeOption
  @ParentCommand var dormouse: Dormouse
  @Option(help: "Terminal N of those that Terminals= in the guest's file makes, from 1 on.") var terminal: Int?

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
      case .left: complain("\ndormouse: detached from \(guest.name), which keeps running\n")
      case .guestEnded: complain("\ndormouse: \(guest.name) has ended\n")
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
        // A guest that cannot be told shows at worst what does not fit.
        if let size = Self.size {
          _ = try? daemons.ask(.resize(name: guest.name, terminal: terminal, size: size), of: guest.name)
        }
      case .asked: return .asked
      }
    }
  }
}
