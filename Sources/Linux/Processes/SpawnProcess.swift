import CLinux
import Glibc

/// Starts a program as a child of this process that ends with the calling thread.
///
/// Its input is empty, its errors go where this process's go. It inherits nothing else: no descriptor but those of `passing`, which become 3
/// and up, no environment but `environment`, no signal mask. The caller is stopped until the program is executed, a millisecond or so.
///
/// - Throws: `SystemError` of vfork(2) or execve(2).
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
    // Nobody could watch it. It has just begun, so it dies at once.
    kill(pid, SIGKILL)
    waitpid(pid, nil, 0)
    throw error
  }
}
