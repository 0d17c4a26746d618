import CLinux

/// The program with which the kernel picks the sockets of some local ports out of all others (INET_DIAG_REQ_BYTECODE).
///
/// Each operation is four bytes: a code, how far to go on a match, how far otherwise. Ending exactly behind the last one
/// accepts a socket, ending four bytes further rejects it. "On a match" has eight bits only, so that a match leads to an
/// operation that jumps to the end with sixteen.
enum TCPPortFilter {
  /// The kernel checks each jump by walking the program from its start, so it must not grow without bound.
  static let mostPorts = 256

  /// - Returns: nil when there are too many ports for a program; the caller picks by itself then.
  static func program(for ports: Set<UInt16>) -> [UInt8]? {
    guard !ports.isEmpty, ports.count <= mostPorts else { return nil }
    var program: [UInt8] = []
    var rest = ports.count
    for port in ports.sorted() {
      rest -= 1
      let isLast = rest == 0
      program += operation(INET_DIAG_BC_S_EQ, yes: 8, no: 12)
      program += operation(INET_DIAG_BC_NOP, yes: 0, no: port)
      if !isLast { program += operation(INET_DIAG_BC_JMP, yes: 4, no: UInt16(rest * 12)) }
    }
    return program
  }

  private static func operation(_ code: Int, yes: UInt8, no: UInt16) -> [UInt8] {
    [UInt8(truncatingIfNeeded: code), yes] + withUnsafeBytes(of: no) { Array($0) }
  }
}
