import Glibc
import GuestSpec
import Linux

/// PID 1 of a guest: by its pidfd, with the master of its console, and with the guest's program where that is another process.
///
/// Not Sendable: it belongs to the guest's supervisor.
public final class GuestProcess {
  private let handle: ProcessHandle
  private var payload: ProcessHandle?
  /// Of the console, non-blocking; nil for an adopted guest, and after `takeConsole()`.
  private(set) var master: OwnedFD?
  /// The masters of the terminals besides the console, non-blocking, and like the console's to be drained. Whoever takes one out owns it;
  /// none for an adopted guest.
  public let terminals: DescriptorList

  init(_ handle: consuming ProcessHandle, console: consuming OwnedFD?, terminals: DescriptorList) {
    self.handle = handle
    self.master = console
    self.terminals = terminals
  }

  /// Takes over a PID 1 that an earlier daemon has started. It is not our child and its console is lost.
  ///
  /// The number may have become another process's since it was found: look it up in the guest's cgroup once more afterwards.
  ///
  /// - Throws: `SystemError`; `ESRCH` when there is none; any other when it cannot be told what it is.
  public init(adopting pid: Int32, of cgroup: GuestCgroup) throws(SystemError) {
    let handle = try ProcessHandle(opening: pid)
    payload = try SmallInit.isPID1(pid) ? SmallInit.payload(in: cgroup) : nil
    self.handle = handle
    master = nil
    terminals = DescriptorList()
  }

  /// Takes hold of the guest's program, where PID 1 is the small init of `ProcessTwo=`; of none when it has ended.
  ///
  /// - Throws: `SystemError` when it cannot be found or opened, though it is there.
  func findPayload(in cgroup: GuestCgroup) throws(SystemError) { payload = try SmallInit.payload(in: cgroup) }

  /// As the daemon sees it.
  public var pid: Int32 { handle.pid }

  /// Borrowed: readable when the process has ended.
  public var pidfd: OwnedFD { _read { yield handle.descriptor } }

  /// The number of the guest's program as the daemon sees it: PID 1, or with `ProcessTwo=` the process below the small init.
  public var payloadPID: Int32 {
    switch payload {
    case .some(let payload): payload.pid
    case .none: handle.pid
    }
  }

  /// Borrowed: of `payloadPID`.
  public var payloadPidfd: OwnedFD {
    _read {
      switch payload {
      case .some(let payload): yield payload.descriptor
      case .none: yield handle.descriptor
      }
    }
  }

  /// Gives the console's master away, non-blocking, to whoever is to close it; nil for an adopted guest, and the second time.
  ///
  /// It must be drained as long as the process lives, or whoever prints in the guest waits for ever. To close it before hangs the guest's
  /// console up.
  public func takeConsole() -> OwnedFD? { master.take() }

  /// Sends PID 1 a signal, by its pidfd: never another process that has its number now.
  ///
  /// - Throws: `SystemError` of pidfd_send_signal(2); `ESRCH` when the process has ended.
  public func signal(_ signal: Signal) throws(SystemError) { try handle.signal(signal.kernelNumber) }

  /// How it ended, once; nil while it runs. Never blocks. `.unknown` only for an adopted one.
  ///
  /// - Throws: `SystemError` of waitid(2).
  public func reap() throws(SystemError) -> ExitStatus? { try handle.reap() }
}

extension Signal {
  /// libc keeps the first real-time signals for itself, so SIGRTMIN is its to say.
  var kernelNumber: Int32 {
    switch self {
    case .number(let number): number
    case .realtime(let offset): __libc_current_sigrtmin() + offset
    }
  }
}
