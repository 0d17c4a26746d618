import Glibc
import Linux
import Systemd

/// Refuses the clients at listeners that the guest did not take, because none of its processes will ever accept them.
///
/// Whether a process of the guest holds such a socket cannot be known: the socket may be in flight between two of them (SCM_RIGHTS). So the
/// daemon never calls accept(2) there, nor anything else that the guest can make block.
///
/// | socket | how its clients are refused |
/// |---|---|
/// | TCP | the socket is shut down and listens again, which resets their connections |
/// | UDP | the daemon receives their datagrams and drops them |
/// | AF_UNIX; TCP with a standby and a classic BPF program, which counts the group | a process that may block accepts and closes |
package final class ClientRefusal {
  private let loop: EventLoop
  private let refused: (Int) -> Void
  private let failed: (SystemError) -> Void
  private var process: RefusingProcess?
  private var source: EventSource?

  /// - Parameters:
  ///   - loop: the loop that watches the listeners.
  ///   - refused: called with the number of clients that were just refused.
  ///   - failed: called with the reason why clients at a listener are not refused.
  package init(_ loop: EventLoop, refused: @escaping (Int) -> Void, failed: @escaping (SystemError) -> Void) {
    self.loop = loop
    self.refused = refused
    self.failed = failed
  }

  /// The watch ends before the descriptor is closed, as epoll needs it.
  deinit { source?.cancel() }

  /// Refuses the clients at these listeners from now on, and at no others.
  package func begin(at listeners: [Listener]) {
    end()
    for listener in listeners where listener.isRefusedHere { watch(listener) }
    do throws(SystemError) {
      try startProcess(at: listeners.filter { !$0.isRefusedHere })
    } catch {
      failed(error)
    }
  }

  /// Stops refusing. It does not end the watch of the listeners, which its owner does.
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

  /// Refuses clients again after a pause. Memory is exhausted, and the kernel does not report when that ends.
  private func rest(_ listener: Listener) {
    do throws(SystemError) {
      try listener.rest(loop) { [unowned self, unowned listener] in watch(listener) }
    } catch {
      listener.stopWatching()
      failed(error)
    }
  }
}
