import ArgumentParser
import ControlProtocol

/// The command line. Each verb is a file of its own; all but `check` ask a daemon over its control socket, and `interface` looks at
/// the guest itself besides.
@main
struct Dormouse: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dormouse",
    abstract: "Containers that sleep until a connection wakes them.",
    discussion: """
      A guest is a file NAME.guest, kept by dormoused(8). The verbs ask the daemon at RUNTIME/io.dormouse; where each \
      guest has a daemon of its own, as under systemd, the one at RUNTIME/NAME/io.dormouse.

      JSON: with --json, `list` prints an array of objects and `status` one object. Every key is always there; what has \
      nothing to say is null. Times are microseconds since 1970-01-01 UTC, keys ending in Ms are milliseconds. Keys may \
      be added, none is taken away. All of it is described by
          varlinkctl introspect /run/dormouse/io.dormouse io.dormouse.Manager

      Exit status:
        0   it is done
        1   it could not be done: no such guest, a guest that does not wake, sleep or freeze, a wrong guest
            file, a requirement that is missed, a terminal that cannot be had
        64  the command line is wrong
        69  no daemon answers
        76  the daemon is of another version
        77  the daemon may not be asked by this user
      """,
    version: "dormouse \(DormouseVersion.current)",
    subcommands: [
      CheckCommand.self,
      ListCommand.self, StatusCommand.self, WhyCommand.self, WakeCommand.self, SleepCommand.self,
      FreezeCommand.self, ThawCommand.self, ConsoleCommand.self, InterfaceCommand.self,
    ])

  @OptionGroup var runtime: RuntimeOption
}

/// Where the daemons are: said before the verb or behind it.
struct RuntimeOption: ParsableArguments {
  @Option(name: .customLong("runtime"), help: "The directory of the daemon's control socket (default: /run/dormouse).")
  var directory: String?

  /// The daemons there, or where the option before the verb says.
  func daemons(_ before: RuntimeOption) -> Daemons {
    Daemons(runtime: directory ?? before.directory ?? "/run/dormouse")
  }
}

extension RuntimeOption {
  /// Has the guest's daemon carry out a call that is answered by its being done; what hinders it is told, and ends the program.
  func carryOut(_ call: Call, of guest: GuestArgument, _ before: RuntimeOption) throws {
    try reportingFailure {
      () throws(Failure) in
      guard case .done = try daemons(before).ask(call, of: guest.name) else { throw .otherReply }
    }
  }
}

/// The guest that a verb is about.
struct GuestArgument: ParsableArguments {
  @Argument(help: "The guest: the name of its file without .guest.")
  var name: String

  func validate() throws {
    // It becomes part of the path of a socket.
    if name.isEmpty || name.contains("/") || name.hasPrefix(".") {
      throw ValidationError("\(name) cannot be a guest's name.")
    }
  }
}
