import Glibc
import GuestSpec
import Linux

/// PID 1 of a guest: its pidfd, the master of its console, and the payload if that is another process.
///
/// Not Sendable: it belongs to the guest's supervisor.
public final class GuestProcess {
  private let handle: ProcessHandle
  private var payload: ProcessHandle?
  /// The console's master, non-blocking; nil for an orphan, and after `takeConsole()`.
  private(set) var master: OwnedFD?
  /// The masters of the other terminals, non-blocking. They must be drained like the console. Empty for an orphan.
  public let terminals: DescriptorList

  init(_ handle: consuming ProcessHandle, console: consuming OwnedFD?, terminals: DescriptorList) {
    self.handle = handle
    self.master = console
    self.terminals = terminals
  }

  /// Adopts PID 1 of an orphan. It is not our child, and its console is lost.
  ///
  /// The kernel may have given the PID to another process since it was found. The caller must find the leader in the cgroup once more
  /// afterwards.
  ///
  /// - Throws: `SystemError`; `ESRCH` when there is no such process.
  public init(adopting pid: Int32, of cgroup: GuestCgroup) throws(SystemError) {
    let handle = try ProcessHandle(opening: pid)
    payload = try SmallInit.isPID1(pid) ? SmallInit.payload(in: cgroup) : nil
    self.handle = handle
    master = nil
    terminals = DescriptorList()
  }

  /// Opens the payload of a guest whose PID 1 is the small init of `ProcessTwo=`. A payload that has ended already is none.
  ///
  /// - Throws: `SystemError` when the payload cannot be found or opened.
  func findPayload(in cgroup: GuestCgroup) throws(SystemError) { payload = try SmallInit.payload(in: cgroup) }

  /// The PID in the daemon's PID namespace.
  public var pid: Int32 { handle.pid }

  /// Borrowed. It polls as readable when the process has ended.
  public var pidfd: OwnedFD { _read { yield handle.descriptor } }

  /// The PID of the payload in the daemon's PID namespace: PID 1, or with `ProcessTwo=` the process below the small init.
  public var payloadPID: Int32 {
    switch payload {
    case .some(let payload): payload.pid
    case .none: handle.pid
    }
  }

  /// The pidfd of the payload, borrowed.
  public var payloadPidfd: OwnedFD {
    _read {
      switch payload {
      case .some(let payload): yield payload.descriptor
      case .none: yield handle.descriptor
      }
    }
  }

  /// Passes the ownership of the console's master, non-blocking, to the caller. Returns nil for an orphan, and at the second call.
  ///
  /// The caller must drain the master while the guest runs, or a process that writes to the console blocks for ever. Closing it hangs the
  /// console up.
  public func takeConsole() -> OwnedFD? { master.take() }

  /// Sends a signal to PID 1 by its pidfd, so that no other process can get it.
  ///
  /// - Throws: `SystemError` of pidfd_send_signal(2); `ESRCH` when the process has ended.
  public func signal(_ signal: Signal) throws(SystemError) { try handle.signal(signal.kernelNumber) }

  /// Whether a signal reaches PID 1: the kernel drops one for which it has no handler. True when that cannot be read.
  public func hears(_ signal: Signal) -> Bool {
    (try? ProcessFacts(pid: handle.pid).hears(signal: signal.kernelNumber)) ?? true
  }

  /// Reaps PID 1. Never blocks.
  ///
  /// - Returns: how it ended, at the first call after its end; `.unknown` for an orphan, which is not our child. nil while it runs.
  ///
  /// - Throws: `SystemError` of waitid(2).
  public func reap() throws(SystemError) -> ExitStatus? { try handle.reap() }
}

extension Signal {
  /// libc reserves some real-time signals, so the number of SIGRTMIN comes from libc.
  var kernelNumber: Int32 {
    switch self {
    case .number(let number): number
    case .realtime(let offset): __libc_current_sigrtmin() + offset
    }
  }
}
