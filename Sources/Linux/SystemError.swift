import Glibc

/// A system call that failed: which, on what, and the kernel's errno as a number.
public struct SystemError: Error, Equatable, CustomStringConvertible {
  /// The call as the manual names it, with its object where that helps: `mkdir /run/dormouse`.
  public let call: String
  /// errno(3).
  public let errno: Int32

  public init(_ call: String, errno: Int32) {
    self.call = call
    self.errno = errno
  }

  /// `mkdir /run/dormouse: Permission denied`.
  public var description: String { "\(call): \(String(cString: strerror(errno)))" }

  /// Whether there was no room at that moment, of memory, descriptors or in a queue: the same may be done a little later.
  public var isForWantOfRoom: Bool { [EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM, ETOOMANYREFS].contains(errno) }
}

/// Runs a system call until it is not interrupted; the only place that knows about -1, errno and EINTR.
///
/// - Throws: `SystemError` with `call` when `body` returns -1.
@discardableResult
public func retrying<Result: FixedWidthInteger & SignedInteger>(
  _ call: @autoclosure () -> String, _ body: () -> Result
) throws(SystemError) -> Result {
  while true {
    let result = body()
    if result != -1 { return result }
    let code = errno
    if code != EINTR { throw SystemError(call(), errno: code) }
  }
}

/// Runs `body`, and again when the kernel says that it has no room at the moment: for what must not be lost by that.
///
/// - Throws: its error, at the third time that there is no room.
public func insisting<Result>(_ body: () throws(SystemError) -> Result) throws(SystemError) -> Result {
  for _ in 0..<2 {
    do throws(SystemError) { return try body() } catch {
      if !error.isForWantOfRoom { throw error }
    }
  }
  return try body()
}
