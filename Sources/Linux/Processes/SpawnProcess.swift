import CLinux
import Glibc

/// Starts a program as a child of this process, in a session of its own. The kernel kills it when the calling thread ends.
///
/// Its standard input is /dev/null, its standard error is this process's. Of other descriptors it gets duplicates of `output` and of those
/// of `passing`, which become 3 and up. Its environment is `environment`, and its signal mask is empty. The calling thread waits until the
/// program is executed, a millisecond or so.
///
/// - Throws: `SystemError` of vfork(2), of execve(2) or of a call in the child before it; `E2BIG` for more than eight descriptors to pass.
public func spawnProcess(
  _ program: String, arguments: [String], environment: [String: String], output: borrowing OwnedFD,
  passing: DescriptorList
) throws(SystemError) -> ProcessHandle {
  var list: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
  var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") } + [nil]
  defer { for pointer in list + variables { free(pointer) } }
  let (raw, passed) = (output.raw, passing.numbers)
  let pid = try retrying("execute \(program)") {
    linux_spawn(program, &list, &variables, raw, passed, Int32(passed.count))
  }
  withExtendedLifetime(passing) {}
  do throws(SystemError) {
    return try ProcessHandle(opening: pid)
  } catch {
    // Without a pidfd nobody could watch the child. It has just begun, so it can be killed and reaped at once.
    kill(pid, SIGKILL)
    waitpid(pid, nil, 0)
    throw error
  }
}
