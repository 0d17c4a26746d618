import GuestSpec
import Linux
import Planning
import Supervision
import Systemd

/// Changes the owners of the files of a root on the disk to the users of a guest, in a helper process, because a root may have any number of
/// files.
///
/// Until it is complete the root belongs to `RootOwner.busy`, so that every start after an interrupted attempt completes it.
final class OwnerChange: Preparation {
  private let path: String
  private let directory: OwnedFD
  /// Keeps the range for the guest meanwhile.
  private let claim: UserRanges.Claim
  /// Keeps other systems out of the root meanwhile. It is released before the next start, which takes it again.
  var lock: RootLocks.Claim?
  private let loop: EventLoop
  private var helper: HelperProcess?

  /// - Throws: `SystemError`; `EPERM` when a user of the host could make `path` lead elsewhere.
  init(_ path: String, to claim: UserRanges.Claim, _ loop: EventLoop) throws(SystemError) {
    self.path = path
    self.claim = claim
    self.loop = loop
    directory = try SafePath(path, followingLast: false).takeDescriptor()
  }

  var words: String { "changing the owners of the files below \(path) to the users from \(claim.base) on" }

  func begin(_ done: @escaping (StartFailure?) -> Void) throws(SystemError) {
    let passed = DescriptorList()
    passed.append(try directory.duplicate())
    let task = HelperProcess.Program.own(.giveTree, ["\(claim.base)", "\(RootOwner.busy)", path])
    helper = try HelperProcess(task, passing: passed, deadline: nil, on: loop) { [path, unowned self] result in
      lock = nil
      done(Self.failure(of: result, path))
    }
  }

  private static func failure(of result: HelperResult, _ path: String) -> StartFailure? {
    if result.succeeded { return nil }
    // The line of an error, in which a file name may have a control character.
    let isWhole = result.output.last == UInt8(ascii: "\n")
    let reason = String(decoding: result.output.dropLast(isWhole ? 1 : 0), as: UTF8.self).harmless
    let interrupted = "change the owners of the files below \(path): the helper process "
    let words =
      switch result.ending {
      case .ended(.exited) where !reason.isEmpty: reason
      case .ended(.killed(let signal)): interrupted + "was killed by signal \(signal)"
      case .ended(let status): interrupted + "\(status)"
      case .timedOut, .tooMuchOutput: interrupted + "was killed"
      }
    return StartFailure(words + "; the next start continues")
  }
}
