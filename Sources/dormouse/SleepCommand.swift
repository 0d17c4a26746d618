import ArgumentParser

struct SleepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sleep", abstract: "Halt a guest cleanly, and return when it is gone.",
    discussion:
      "A guest that is in use is left alone: `dormouse why NAME` tells by whom. With --now it is halted all the same.")

  @OptionGroup var guest: GuestArgument
  @OptionGroup var runtime: RuntimeOption
  @ParentCommand var dormouse: Dormouse
  @Flag(help: "Halt it although it is in use.") var now = false

  func run() throws {
    try runtime.carryOut(.sleep(name: guest.name, now: now), of: guest, dormouse.runtime)
  }
}
