import CLinux
import Glibc

/// The two ends of a pipe, both close-on-exec.
public struct Pipe: ~Copyable {
  /// The end to read from; reads never block (O_NONBLOCK).
  public let reading: OwnedFD
  /// The end to write to; a write blocks while the pipe is full.
  public let writing: OwnedFD

  /// - Throws: `SystemError` of pipe2(2) or fcntl(2).
  public init() throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    try retrying("pipe2") { linux_pipe(&ends) }
    let reading = OwnedFD(owning: ends[0])
    let writing = OwnedFD(owning: ends[1])
    try retrying("fcntl F_SETFL") { fcntl(reading.raw, F_SETFL, O_NONBLOCK) }
    self.reading = reading
    self.writing = writing
  }

  /// Gives the reading end to the caller, who owns it then, and closes the writing end.
  public consuming func takeReading() -> OwnedFD { reading }
}

/// Reads once, at most `limit` bytes, from a non-blocking descriptor.
///
/// - Returns: nil when nothing can be read yet; an empty array at end of file.
/// - Throws: `SystemError` of read(2).
public func readAvailable(_ descriptor: borrowing OwnedFD, limit: Int) throws(SystemError) -> [UInt8]? {
  let raw = descriptor.raw
  var bytes = [UInt8](repeating: 0, count: limit)
  do throws(SystemError) {
    let count = try retrying("read") { read(raw, &bytes, limit) }
    return Array(bytes[..<count])
  } catch {
    if error.errno == EAGAIN { return nil }
    throw error
  }
}
