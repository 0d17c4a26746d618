import ArgumentParser

struct SleepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sleep", abstract: "Stop a guest cleanly until the next connection.",
    discussion:
      "Returns when the guest has stopped. A guest that is in use is not stopped; `dormouse why NAME` tells who uses it. With "
      + "--now it is stopped anyway.")

  @OptionGroup var guest: GuestArgument
  @OptionGroup var runtime: RuntimeOption
  @ParentCommand var dormouse: Dormouse
  @Flag(help: "Stop the guest even if it is in use.") var now = false

  func run() throws {
    try runtime.carryOut(.sleep(name: guest.name, now: now), of: guest, dormouse.runtime)
  }
}
