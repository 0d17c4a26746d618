import Glibc
import Supervision
import Systemd

do {
  // The signals first: every thread that the runtime makes from here on inherits the mask.
  try blockSignals(Manager.blockedSignals)
  let arguments = try DaemonArguments(Array(CommandLine.arguments.dropFirst()))
  let loop = try EventLoop()
  let manager = Manager(loop: loop, arguments: arguments)
  // Detached, or it would wait on the main queue, which nobody drains while the loop runs.
  Task.detached { await manager.startOrExit() }
  try loop.run()
} catch let problem as DaemonArguments.Problem {
  switch problem {
  case .help, .version:
    print(problem)
  case .unknownOption, .missingValue:
    Journal(.stderr).send(.error, "dormoused: \(problem)")
    exit(EX_USAGE)
  }
} catch {
  Journal(.stderr).send(.error, "dormoused: \(error)")
  exit(EXIT_FAILURE)
}
