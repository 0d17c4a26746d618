import CLinux
import Glibc

/// The two ends of a pipe, both close-on-exec.
public struct Pipe: ~Copyable {
  /// Never blocks.
  public let reading: OwnedFD
  /// Blocks while the pipe is full.
  public let writing: OwnedFD

  /// - Throws: `SystemError` of pipe2(2).
  public init() throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    try retrying("pipe2") { linux_pipe(&ends) }
    let reading = OwnedFD(owning: ends[0])
    let writing = OwnedFD(owning: ends[1])
    try retrying("fcntl F_SETFL") { fcntl(reading.raw, F_SETFL, O_NONBLOCK) }
    self.reading = reading
    self.writing = writing
  }

  /// Passes on the end to read from, and closes the other.
  public consuming func takeReading() -> OwnedFD { reading }
}

/// Reads what there is from a descriptor that does not block, at most `limit` bytes.
///
/// - Returns: nil when there is nothing now; no bytes at the end.
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
