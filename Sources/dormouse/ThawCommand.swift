import ArgumentParser

struct ThawCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "thaw", abstract: "Thaw a frozen guest.",
    discussion: "A guest that is not frozen stays as it is.")

  @OptionGroup var guest: GuestArgument
  @OptionGroup var runtime: RuntimeOption
  @ParentCommand var dormouse: Dormouse

  func run() throws {
    try runtime.carryOut(.thaw(name: guest.name), of: guest, dormouse.runtime)
  }
}
