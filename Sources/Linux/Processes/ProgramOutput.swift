import Glibc

/// Runs a program and returns what it wrote to its standard output. The calling thread waits until the program has ended.
///
/// - Parameters:
///   - path: the path of the program.
///   - arguments: its arguments, without its name.
///   - limit: the most bytes of output to return; the rest is discarded.
/// - Returns: its exit status, and what it wrote.
/// - Throws: `SystemError` when it cannot be executed, or its output cannot be read.
public func runProgram(
  _ path: String, _ arguments: [String], limit: Int = 1 << 20
) throws(SystemError) -> (status: ExitStatus, output: [UInt8]) {
  let pipe = try Pipe()
  let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"]
  let process = try spawnProcess(
    path, arguments: [path] + arguments, environment: environment, output: pipe.writing, passing: DescriptorList())
  let reading = pipe.takeReading()
  var output: [UInt8] = []
  while true {
    var watched = pollfd(fd: reading.raw, events: Int16(POLLIN), revents: 0)
    try retrying("poll") { poll(&watched, 1, -1) }
    guard let bytes = try readAvailable(reading, limit: 64 << 10) else { continue }
    if bytes.isEmpty { break }
    output += bytes.prefix(max(0, limit - output.count))
  }
  while true {
    if let status = try process.reap() { return (status, output) }
    var watched = pollfd(fd: process.descriptor.raw, events: Int16(POLLIN), revents: 0)
    try retrying("poll") { poll(&watched, 1, -1) }
  }
}
