/// Counts a guest's connections, each of them once, by its cookie.
///
/// A scan finds those that are open. The kernel reports each TCP connection that ends, and so also those that come and go between two
/// scans.
package struct ConnectionTally: Equatable {
  /// Connections that the guest has had. Of AF_UNIX those that a scan found.
  package private(set) var accepted = 0
  /// TCP connections that ended without a byte from the guest.
  package private(set) var unanswered = 0
  /// Connections that were counted, and whose end was not reported yet.
  private var open: Set<UInt64> = []
  /// False after an end may have gone unreported.
  private var isOpenCertain = true
  /// Connections of the last scan whose end the kernel does not report.
  private var lastFound: Set<UInt64> = []

  package init() {}

  /// Counts what a scan found.
  ///
  /// - Parameters:
  ///   - announced: the guest's open connections whose end the kernel reports.
  ///   - others: the guest's open connections whose end it does not report.
  mutating func found(_ announced: Set<UInt64>, others: Set<UInt64>) {
    accepted += announced.subtracting(open).count + others.subtracting(lastFound).count
    // The end of a connection that is not found any more may be reported yet.
    open = isOpenCertain ? open.union(announced) : announced
    isOpenCertain = true
    lastFound = others
  }

  /// Counts a connection whose end the kernel reported.
  mutating func ended(_ cookie: UInt64, isAnswered: Bool) {
    if open.remove(cookie) == nil { accepted += 1 }
    if !isAnswered { unanswered += 1 }
  }

  /// The kernel could not report all ends.
  mutating func missedSome() { isOpenCertain = false }
}
