import Glibc
import Linux
import Systemd

/// Refuses the clients of the listeners that a guest did not take: no process of it will ever accept there.
///
/// Whether a guest holds a socket cannot be known: it may be in flight between two of its processes. So the daemon never accepts there, nor
/// does anything else that a guest can make block.
///
/// | socket | how its clients are refused |
/// |---|---|
/// | TCP | it is shut down and listens again, which resets them |
/// | UDP | their datagrams are received and dropped |
/// | AF_UNIX; TCP beside a standby, whose place in the group the classic program counts | by another process, which may block |
package final class ClientRefusal {
  private let loop: EventLoop
  private let refused: (Int) -> Void
  private let failed: (SystemError) -> Void
  private var process: RefusingProcess?
  private var source: EventSource?

  /// - Parameters:
  ///   - loop: watches.
  ///   - refused: gets the number of clients after some were refused.
  ///   - failed: gets why clients at a listener are not refused.
  package init(_ loop: EventLoop, refused: @escaping (Int) -> Void, failed: @escaping (SystemError) -> Void) {
    self.loop = loop
    self.refused = refused
    self.failed = failed
  }

  /// The watch ends before the descriptor is closed, as epoll needs it.
  deinit { source?.cancel() }

  /// Begins at these listeners, and at no others any more.
  package func begin(at listeners: [Listener]) {
    end()
    for listener in listeners where listener.isRefusedHere { watch(listener) }
    do throws(SystemError) {
      try startProcess(at: listeners.filter { !$0.isRefusedHere })
    } catch {
      failed(error)
    }
  }

  /// Ends the process; who watches the listeners stops that.
  package func end() {
    collect()
    source?.cancel()
    source = nil
    process = nil
  }

  private func collect() {
    if let count = process?.refused(), count > 0 { refused(count) }
  }

  private func startProcess(at listeners: [Listener]) throws(SystemError) {
    if listeners.isEmpty { return }
    let sockets = DescriptorList()
    for listener in listeners { sockets.append(try listener.descriptor.duplicate()) }
    let process = try RefusingProcess(at: sockets)
    source = try loop.watch(process.descriptor, for: .readable) { [unowned self] _ in collect() }
    self.process = process
  }

  private func watch(_ listener: Listener) {
    do throws(SystemError) {
      try listener.watch(loop, all: false) { [unowned self, unowned listener] in
        do throws(SystemError) {
          let count = try listener.refuseQueued()
          if count > 0 { refused(count) }
        } catch {
          if error.errno == EINVAL { listener.stopWatching() } else { rest(listener) }
        }
      }
    } catch {
      failed(error)
    }
  }

  /// Refuses clients again after a pause: memory is exhausted, and the kernel does not report the end of that.
  private func rest(_ listener: Listener) {
    do throws(SystemError) {
      try listener.rest(loop) { [unowned self, unowned listener] in watch(listener) }
    } catch {
      listener.stopWatching()
      failed(error)
    }
  }
}
