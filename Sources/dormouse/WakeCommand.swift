import ArgumentParser

struct WakeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wake", abstract: "Start a guest and wait until it is ready.")

  @OptionGroup var guest: GuestArgument
  @OptionGroup var runtime: RuntimeOption
  @ParentCommand var dormouse: Dormouse

  func run() throws {
    try runtime.carryOut(.wake(name: guest.name), of: guest, dormouse.runtime)
  }
}
