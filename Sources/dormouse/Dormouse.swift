import ArgumentParser
import ControlProtocol

/// The command line. Each verb has its own file. All verbs but `check` call a daemon over its control socket; `interface` also inspects
/// the guest itself.
@main
struct Dormouse: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dormouse",
    abstract: "Containers that sleep until a connection wakes them.",
    discussion: """
      A guest is a container that a file NAME.guest describes and dormoused(8) runs. The verbs call the daemon at \
      RUNTIME/io.dormouse, or the guest's own daemon at RUNTIME/NAME/io.dormouse, as it runs under systemd.

      With --json, `list` prints an array of objects and `status` one object. Every key is always present; its value \
      may be null. Times are microseconds since 1970-01-01 UTC; keys that end in Ms are milliseconds. Later versions \
      may add keys but remove none. The objects are described by
          varlinkctl introspect /run/dormouse/io.dormouse io.dormouse.Manager

      Exit status:
        0   success
        1   failure: there is no such guest; a guest does not wake, sleep or
            freeze; reload met a file with errors; check found a problem;
            interface found a requirement missed; a terminal is not available
        64  the command line is wrong
        69  no daemon is running
        76  the daemon has another version
        77  permission denied: this user may not connect to the daemon
      """,
    version: "dormouse \(DormouseVersion.current)",
    subcommands: [
      CheckCommand.self,
      ListCommand.self, StatusCommand.self, WhyCommand.self, WakeCommand.self, SleepCommand.self,
      FreezeCommand.self, ThawCommand.self, ConsoleCommand.self, InterfaceCommand.self, ReloadCommand.self,
    ])

  @OptionGroup var runtime: RuntimeOption
}

/// The option --runtime, which may come before or after the verb.
struct RuntimeOption: ParsableArguments {
  @Option(name: .customLong("runtime"), help: "The directory of the daemon's control socket (default: /run/dormouse).")
  var directory: String?

  /// The daemons in the directory of this option, or else of the one before the verb.
  func daemons(_ before: RuntimeOption) -> Daemons {
    Daemons(runtime: directory ?? before.directory ?? "/run/dormouse")
  }
}

extension RuntimeOption {
  /// Sends a call whose reply has no content. On failure, prints the reason and ends the program.
  func carryOut(_ call: Call, of guest: GuestArgument, _ before: RuntimeOption) throws {
    try reportingFailure {
      () throws(Failure) in
      guard case .done = try daemons(before).ask(call, of: guest.name) else { throw .otherReply }
    }
  }
}

/// The argument that names a guest.
struct GuestArgument: ParsableArguments {
  @Argument(help: "The name of the guest: that of its file without .guest.")
  var name: String

  func validate() throws {
    // The name becomes part of the path of a socket.
    if name.isEmpty || name.contains("/") || name.hasPrefix(".") {
      throw ValidationError("\(name) is not a guest name.")
    }
  }
}
