import Glibc
import Linux
import Supervision

// Which sockets its processes have open.
extension ContainerInstance {
  /// The most descriptors of a guest that are scanned: a second's work for a guest that opens them for nothing else.
  private static let descriptorLimit = 1 << 18

  func holders(of sockets: Set<UInt64>) -> Set<UInt64>? {
    guard let processes = try? container.processes() else { return nil }
    var search = SocketSearch(for: sockets, limit: Self.descriptorLimit)
    // PID 1 first: a systemd has all of them open, and the others' descriptors need not be scanned then.
    for pid in [process.pid] + processes {
      do throws(SystemError) {
        let hasAny = try search.scan(process: pid)
        if !hasAny, pid == process.pid { return nil }
      } catch {
        // A process may end between the listing and the scan. What another error hides might be a listener.
        if error.errno != ENOENT && error.errno != ESRCH { return nil }
      }
    }
    // A guest that died meanwhile has nothing open: that says nothing about what it had.
    guard (try? hasInput(process.pidfd)) == false, !search.isExhausted else { return nil }
    return search.found
  }
}
