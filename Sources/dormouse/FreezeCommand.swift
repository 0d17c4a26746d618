import ArgumentParser

struct FreezeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "freeze", abstract: "Freeze a guest until the next connection, and return when all of it is frozen.",
    discussion:
      "A guest that is in use is left alone: `dormouse why NAME` tells by whom. With --now it is frozen all the same, and its "
      + "clients wait until somebody new connects, or until `dormouse thaw NAME`.")

  @OptionGroup var guest: GuestArgument
  @OptionGroup var runtime: RuntimeOption
  @ParentCommand var dormouse: Dormouse
  @Flag(help: "Freeze it although it is in use.") var now = false

  func run() throws {
    try runtime.carryOut(.freeze(name: guest.name, now: now), of: guest, dormouse.runtime)
  }
}
