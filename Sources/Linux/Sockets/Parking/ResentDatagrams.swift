import Glibc

/// What became of datagrams that were to be sent again.
public struct ResentDatagrams: Equatable, Sendable {
  /// How many were sent again.
  public var count = 0
  /// How many were taken out and could not be sent.
  public var lost = 0
  /// Why no more of them were taken: the others wait where they waited.
  public var failure: SystemError?
}

/// Takes the datagrams out of the queue of a UDP socket and puts them back on their way (`DatagramResend`): to another socket at the
/// address, to which a gate leads.
///
/// - Throws: `SystemError` when it could not be begun: all wait where they waited.
public func resendDatagrams(from fd: borrowing OwnedFD) throws(SystemError) -> ResentDatagrams {
  var done = ResentDatagrams()
  let way = try DatagramResend()
  let before = try recordDestinations(on: fd)
  defer { _ = try? recordDestinations(before, on: fd) }
  var isTroubled = false
  // No more than a queue holds: they may come faster than they are taken.
  for _ in 0..<mostDatagrams {
    let datagram: QueuedDatagram?
    do throws(SystemError) {
      datagram = try takeDatagram(from: fd)
    } catch {
      // What a packet brought back comes once, in the place of a datagram; what comes again is the kernel's own trouble.
      if isTroubled {
        done.failure = error
        return done
      }
      isTroubled = true
      continue
    }
    isTroubled = false
    guard let datagram else { return done }
    do throws(SystemError) {
      try insisting { () throws(SystemError) in try way.send(datagram) }
      done.count += 1
    } catch {
      done.lost += 1
    }
  }
  return done
}

private let mostDatagrams = 100_000
