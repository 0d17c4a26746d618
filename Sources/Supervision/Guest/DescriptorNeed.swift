import Glibc
import Linux
import Listeners

extension SystemError {
  /// The error in words. When the daemon has no descriptor left, they tell what the guest needs and where the limit is set.
  ///
  /// - Parameter count: how many sockets the guest has.
  /// - Returns: the words.
  func words(forSockets count: Int) -> String {
    if errno != EMFILE { return description }
    let need = count * GuestListeners.descriptorsPerSocket
    return "\(description); for its \(count) sockets alone a guest needs \(need) descriptors while it runs: "
      + "raise LimitNOFILE= in dormoused's unit"
  }
}
