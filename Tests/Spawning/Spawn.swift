import Glibc
import Linux

/// Starts a program as a test does: nothing is on its standard input, its output and errors are appended to files.
///
/// Files and not pipes: those would be inherited by whatever other tests start meanwhile, and end only with that.
///
/// - Parameters:
///   - arguments: the program, looked for in `$PATH` when it has no slash, and what it is given.
///   - environment: all of its environment.
///   - output: a file, made when it is missing.
///   - errors: as `output`.
/// - Returns: the process; whoever called waits for it.
/// - Throws: `SystemError` of posix_spawn(3).
package func spawn(
  _ arguments: [String], environment: [String: String], output: String, errors: String
) throws(SystemError) -> pid_t {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
  let append = O_WRONLY | O_CREAT | O_APPEND
  posix_spawn_file_actions_addopen(&actions, 1, output, append, 0o600)
  posix_spawn_file_actions_addopen(&actions, 2, errors, append, 0o600)
  // The threads of a test block most signals, and a program that inherited that would not end when told to.
  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  var none = sigset_t()
  posix_spawnattr_setsigmask(&attributes, &none)
  posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

  var list: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
  var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") } + [nil]
  defer { for pointer in list + variables { free(pointer) } }
  var pid: pid_t = 0
  let code = posix_spawnp(&pid, arguments[0], &actions, &attributes, &list, &variables)
  guard code == 0 else { throw SystemError("posix_spawn \(arguments[0])", errno: code) }
  return pid
}
