/// How many connections a guest has had, each counted once, by its cookie: those that a look finds, and those of TCP that came and went
/// between two looks, of which the kernel tells when they are gone.
package struct ConnectionTally: Equatable {
  /// That the guest has had; of AF_UNIX only those that a look found.
  package private(set) var accepted = 0
  /// Of TCP, that came to their end without a byte from the guest.
  package private(set) var unanswered = 0
  /// Counted, and not known to have ended.
  private var open: Set<UInt64> = []
  private var isOpenCertain = true
  /// Whose end is not told.
  private var lastFound: Set<UInt64> = []

  package init() {}

  /// - Parameters:
  ///   - announced: the guest's at this moment, whose end is told.
  ///   - others: whose end is not told.
  mutating func found(_ announced: Set<UInt64>, others: Set<UInt64>) {
    accepted += announced.subtracting(open).count + others.subtracting(lastFound).count
    // One that is not found any more may still be told of.
    open = isOpenCertain ? open.union(announced) : announced
    isOpenCertain = true
    lastFound = others
  }

  mutating func ended(_ cookie: UInt64, isAnswered: Bool) {
    if open.remove(cookie) == nil { accepted += 1 }
    if !isAnswered { unanswered += 1 }
  }

  /// Not all ends could be told.
  mutating func missedSome() { isOpenCertain = false }
}
