import GuestSpec
import Linux

/// What makes instances of guests and finds those that an earlier daemon left: the seam below the supervisors.
///
/// In front of it nothing knows of cgroups, namespaces or mounts. Used on the loop's thread only, like everything behind it.
package protocol Backend: AnyObject {
  /// Why guests get no resource controllers, in words for a person; nil when they do.
  var obstacle: String? { get }

  /// Takes over what dormoused.conf(5) sets, for the starts to come.
  func apply(_ settings: DaemonSettings)

  /// Begins to make an instance. It watches nothing before `watch` of the instance is called.
  ///
  /// - Throws: `StartFailure`; nothing of the instance is left then.
  func start(_ start: InstanceStart) throws(StartFailure) -> StartOutcome

  /// Searches for what an earlier daemon left running.
  ///
  /// - Throws: `SystemError` when the search fails, which never means that nothing runs.
  func orphans() throws(SystemError) -> any Orphans

  /// Does at once what was postponed: the daemon ends.
  func finish()
}

/// The result of asking a backend for an instance.
package enum StartOutcome {
  /// PID 1 exists or is on its way. The instance's first event is `started`, or `startFailed` when it cannot be made after all; either may
  /// come later.
  case instance(any Instance)
  /// Something that takes long has to be done first. Then the guest is to be started again. Nothing is left of the instance.
  case delayed(by: any Preparation)
}

/// What has to be done before an instance of a guest can be made.
package protocol Preparation: AnyObject {
  /// What it is, in words for a person: `changing the owners of ...`.
  var words: String { get }

  /// Begins. Calls `done` once, in a later turn of the loop, with nil when it is done. The work ends when this object is released.
  ///
  /// - Throws: `SystemError` when it cannot begin; `done` is not called then.
  func begin(_ done: @escaping (StartFailure?) -> Void) throws(SystemError)
}

/// What a backend needs in order to make an instance.
package struct InstanceStart {
  package var guest: Guest
  /// What its PID 1 is with `Boot=yes`.
  package var initSystem: InitSystem
  /// `LISTEN_FDNAMES`, in the order of the descriptors.
  package var listenerNames: [String]
  /// Duplicates the listeners' descriptors, in order, for PID 1. Called once, as late as possible.
  package var listeners: () throws(SystemError) -> DescriptorList
  /// Called with the instance before the guest's program is executed: a client may be served, and gone, right after that. When it throws,
  /// the instance is ended again.
  package var willExecute: (any Instance) throws(SystemError) -> Void
}

/// Why an instance cannot be made, in words for a person.
package struct StartFailure: Error, Equatable, CustomStringConvertible {
  package var description: String

  package init(_ description: String) { self.description = description }
}

/// Instances that an earlier daemon left running.
package protocol Orphans {
  /// The guests of which something is left.
  var guests: [String] { get }

  /// Takes over the instance of a guest that runs; what is left of others is removed.
  ///
  /// - Returns: nil when nothing of the guest runs.
  /// - Throws: `SystemError` when the search fails; it can be repeated.
  func instance(of guest: String) throws(SystemError) -> (any Instance)?
}
