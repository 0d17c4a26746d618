import Glibc

/// The result of sending queued datagrams again.
public struct ResentDatagrams: Equatable, Sendable {
  /// How many were sent again.
  public var count = 0
  /// How many were taken from the queue and could not be sent.
  public var lost = 0
  /// The error that ended it before the queue was empty. The other datagrams stay queued.
  public var failure: SystemError?
}

/// Takes the datagrams from the queue of a UDP socket and sends them again (`DatagramResend`), to the other socket at the address that the
/// steering steers to.
///
/// - Throws: `SystemError` when it cannot begin. All datagrams stay queued then.
public func resendDatagrams(from fd: borrowing OwnedFD) throws(SystemError) -> ResentDatagrams {
  var done = ResentDatagrams()
  let resend = try DatagramResend()
  let before = try reportDestinations(on: fd)
  defer { _ = try? reportDestinations(before, on: fd) }
  var hasFailed = false
  // A limit, because datagrams may arrive faster than they are taken.
  for _ in 0..<mostDatagrams {
    let datagram: QueuedDatagram?
    do throws(SystemError) {
      datagram = try receiveDatagram(from: fd)
    } catch {
      // The kernel reports an error from ICMP once, in place of a datagram. An error that repeats is another one.
      if hasFailed {
        done.failure = error
        return done
      }
      hasFailed = true
      continue
    }
    hasFailed = false
    guard let datagram else { return done }
    do throws(SystemError) {
      try insisting { () throws(SystemError) in try resend.send(datagram) }
      done.count += 1
    } catch {
      done.lost += 1
    }
  }
  return done
}

private let mostDatagrams = 10_000
