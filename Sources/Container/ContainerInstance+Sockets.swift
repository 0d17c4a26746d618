import Glibc
import Linux
import Supervision

// Which sockets the instance's processes have open.
extension ContainerInstance {
  func holders(of sockets: Set<UInt64>) -> Set<UInt64>? {
    guard looks.take(at: Clocks.monotonic), let processes = try? container.processes() else { return nil }
    var search = SocketSearch(for: sockets, limit: SearchBudget.descriptors)
    // PID 1 first: systemd has all listeners open, and no other process needs to be scanned then.
    for pid in [process.pid] + processes {
      do throws(SystemError) {
        let hasAny = try search.scan(process: pid)
        if !hasAny, pid == process.pid { return nil }
      } catch {
        // A process may end between the listing and the scan. After any other error a listener may have been missed.
        if error.errno != ENOENT && error.errno != ESRCH { return nil }
      }
    }
    // A guest that has ended meanwhile has nothing open, whatever it had before.
    guard (try? hasInput(process.pidfd)) == false, !search.isExhausted else { return nil }
    return search.found
  }
}
