import Glibc

/// A failed system call: its name, its object, and the kernel's errno.
public struct SystemError: Error, Equatable, CustomStringConvertible {
  /// The name of the call in the manual, with its object where that helps: `mkdir /run/dormouse`.
  public let call: String
  /// errno(3).
  public let errno: Int32

  public init(_ call: String, errno: Int32) {
    self.call = call
    self.errno = errno
  }

  /// `mkdir /run/dormouse: Permission denied`.
  public var description: String { "\(call): \(reason)" }

  /// `Permission denied`.
  public var reason: String { String(cString: strerror(errno)) }

  /// Whether memory, descriptors or room in a queue ran out. The same call may succeed a little later.
  public var isForWantOfRoom: Bool { [EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM, ETOOMANYREFS].contains(errno) }
}

/// Runs a system call, again while a signal interrupts it. Only this function deals with -1, errno and EINTR.
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

/// Runs `body` up to three times while the kernel lacks room: for a call that must not fail because of a shortage that passes.
///
/// - Throws: the error of `body`.
public func insisting<Result>(_ body: () throws(SystemError) -> Result) throws(SystemError) -> Result {
  for _ in 0..<2 {
    do throws(SystemError) { return try body() } catch {
      if !error.isForWantOfRoom { throw error }
    }
  }
  return try body()
}
