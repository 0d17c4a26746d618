import Container
import Glibc
import Linux
import Supervision
import Systemd

if let (task, arguments) = HelperTask.of(CommandLine.arguments) { exit(run(task, arguments)) }
do {
  // The signals first: every thread that the runtime makes from here on inherits the mask.
  try blockSignals(Manager.blockedSignals)
  let arguments = try DaemonArguments(Array(CommandLine.arguments.dropFirst()))
  guard geteuid() == 0 else {
    Journal(.stderr).send(
      .error, "dormoused: must run as root, because it makes namespaces, mounts and cgroups; try sudo")
    exit(EX_NOPERM)
  }
  do {
    try OwnProgram.executeReadOnly()
    OwnProgram.setName("dormoused")
  } catch {
    Journal(.stderr).send(.warning, "dormoused: a guest without PrivateUsers= could write to this program: \(error)")
  }
  OwnProgram.raiseDescriptorLimit()
  let loop = try EventLoop()
  let manager = Manager(loop: loop, arguments: arguments) { loop, runtime throws(SystemError) in
    try ContainerBackend(loop, runtime: runtime)
  }
  // Not from a task: the runtime would begin it on a thread of its own, whose pool then wakes up every second to look after itself.
  manager.assumeIsolated { $0.startOrExit() }
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
