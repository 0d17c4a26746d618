import ArgumentParser

struct FreezeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "freeze", abstract: "Freeze a guest until the next connection.",
    discussion:
      "Returns when all processes of the guest are frozen. A guest that is in use is not frozen; `dormouse why NAME` tells who "
      + "uses it. With --now it is frozen anyway, until one of its clients sends something or leaves.")

  @OptionGroup var guest: GuestArgument
  @OptionGroup var runtime: RuntimeOption
  @ParentCommand var dormouse: Dormouse
  @Flag(help: "Freeze the guest even if it is in use.") var now = false

  func run() throws {
    try runtime.carryOut(.freeze(name: guest.name, now: now), of: guest, dormouse.runtime)
  }
}
