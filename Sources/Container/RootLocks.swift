import GuestSpec
import Linux

/// The locks of the directories that guests run in. No two systems write to one, whether a guest or systemd-nspawn runs the other.
final class RootLocks {
  /// The guests of this daemon that have a lock, by the tree's identity.
  private var holders: [String: [String]] = [:]

  /// A root that is locked for one guest for as long as this object lives.
  final class Claim {
    /// The root's path, resolved.
    let root: String
    /// Whether other guests that only read may use the root meanwhile.
    let isShared: Bool
    private let guest: String
    private let lock: TreeLock
    private let locks: RootLocks

    fileprivate init(_ lock: TreeLock, _ root: String, isShared: Bool, _ guest: String, in locks: RootLocks) {
      (self.lock, self.root, self.isShared, self.guest, self.locks) = (lock, root, isShared, guest, locks)
      locks.holders[lock.identity, default: []].append(guest)
    }

    deinit {
      guard var rest = locks.holders[lock.identity] else { return }
      if let index = rest.firstIndex(of: guest) { rest.remove(at: index) }
      locks.holders[lock.identity] = rest.isEmpty ? nil : rest
    }
  }

  /// Locks a guest's root, as systemd-nspawn does: shared when the guest does not write to it.
  ///
  /// - Throws: `StartError.busy` when another system uses it.
  func claim(_ root: String, for guest: Guest) throws(StartError) -> Claim {
    let holder: String?
    do throws(SystemError) {
      if let claim = try claim(root, isShared: !guest.writesToItsDirectory, for: guest.name) { return claim }
      holder = holders[try TreeLock.identity(of: root)]?.first
    } catch {
      throw .system(error)
    }
    throw .busy(root: root, guest: holder)
  }

  /// - Returns: nil when another system uses the root.
  /// - Throws: `SystemError` when the root cannot be locked.
  func claim(_ root: String, isShared: Bool, for guest: String) throws(SystemError) -> Claim? {
    guard let lock = try TreeLock(of: root, isShared: isShared) else { return nil }
    return Claim(lock, root, isShared: isShared, guest, in: self)
  }
}
