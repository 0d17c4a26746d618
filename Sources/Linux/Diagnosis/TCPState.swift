/// The states of RFC 9293 with the kernel's numbers (include/net/tcp_states.h).
public enum TCPState: UInt8, Hashable, Sendable, CaseIterable {
  case established = 1
  case synSent, synReceived, finWait1, finWait2, timeWait, close, closeWait, lastAck, listen, closing
  /// A half-open connection before the last step of the handshake; sock_diag(7) lists it as `synReceived`.
  case newSynReceived

  /// The name of the state in the RFC.
  public var word: String {
    switch self {
    case .established: "ESTABLISHED"
    case .synSent: "SYN-SENT"
    case .synReceived, .newSynReceived: "SYN-RECEIVED"
    case .finWait1: "FIN-WAIT-1"
    case .finWait2: "FIN-WAIT-2"
    case .timeWait: "TIME-WAIT"
    case .close: "CLOSED"
    case .closeWait: "CLOSE-WAIT"
    case .lastAck: "LAST-ACK"
    case .listen: "LISTEN"
    case .closing: "CLOSING"
    }
  }
}
