import CLinux

/// A program with which the kernel filters a list of sockets by local port (INET_DIAG_REQ_BYTECODE).
///
/// An operation has four bytes: a code, the offset to jump to on a match, and the offset to jump to otherwise. A jump to exactly behind
/// the last operation accepts a socket; four bytes further rejects it. The offset on a match has only eight bits, so a match jumps to
/// an operation that jumps to the end with sixteen.
enum TCPPortFilter {
  /// The kernel checks each jump by walking the program from its start, so it must not grow without bound.
  static let mostPorts = 256

  /// - Returns: nil when there are too many ports for a program, or none; the caller filters the list then.
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
