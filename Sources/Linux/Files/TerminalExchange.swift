import CLinux
import Glibc

/// Connects this process's standard input and output to a socket: it sends what a person types, and shows what it receives.
///
/// Meanwhile, a terminal on standard input is in raw mode, and the signals that would end the process are events instead. So the terminal's
/// mode is always restored when this value is destroyed.
public struct TerminalExchange: ~Copyable {
  /// An event on either side.
  public enum Event: Equatable, Sendable {
    case typed([UInt8])
    /// Standard input has ended.
    case inputEnded
    case arrived([UInt8])
    /// The peer has closed the connection.
    case closed
    /// The size of the terminal has changed.
    case resized
    /// A signal asks this process to exit.
    case asked(signal: Int32)
  }

  private let socket: OwnedFD
  private let signals: OwnedFD
  private var saved: termios?
  private var unsent: [UInt8] = []
  private var isInputOpen = true

  /// The most bytes that are queued or read at a time. A terminal buffers less.
  private static let limit = 64 * 1024

  /// Switches the terminal to raw mode and takes over the signals.
  ///
  /// - Throws: `SystemError`; the terminal is unchanged then.
  public init(_ socket: consuming OwnedFD) throws(SystemError) {
    let raw = socket.raw
    try retrying("fcntl F_SETFL") { fcntl(raw, F_SETFL, O_NONBLOCK) }
    var wanted = sigset_t()
    sigemptyset(&wanted)
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH] { sigaddset(&wanted, signal) }
    let signals = OwnedFD(owning: try retrying("signalfd") { signalfd(-1, &wanted, O_CLOEXEC | O_NONBLOCK) })
    pthread_sigmask(SIG_BLOCK, &wanted, nil)
    // When nobody reads standard output any more, write(2) fails instead.
    signal(SIGPIPE, SIG_IGN)
    var mode = termios()
    if isatty(STDIN_FILENO) != 0 {
      try retrying("tcgetattr") { tcgetattr(STDIN_FILENO, &mode) }
      var raw = mode
      cfmakeraw(&raw)
      try retrying("tcsetattr") { tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) }
      saved = mode
    }
    self.socket = socket
    self.signals = signals
  }

  deinit {
    guard var mode = saved else { return }
    tcsetattr(STDIN_FILENO, TCSADRAIN, &mode)
  }

  /// The size of the terminal on standard output, or else on standard input; nil when neither is a terminal.
  public static var size: WindowSize? {
    var size = winsize()
    for number in [STDOUT_FILENO, STDIN_FILENO] where ioctl(number, UInt(TIOCGWINSZ), &size) == 0 {
      return WindowSize(rows: size.ws_row, columns: size.ws_col)
    }
    return nil
  }

  /// Waits for the next event, and sends queued bytes meanwhile.
  ///
  /// - Throws: `SystemError`.
  public mutating func next() throws(SystemError) -> Event {
    while true {
      let output = Int16(unsent.isEmpty ? 0 : POLLOUT)
      var waiting = [
        pollfd(fd: signals.raw, events: Int16(POLLIN), revents: 0),
        pollfd(fd: socket.raw, events: Int16(POLLIN) | output, revents: 0),
        pollfd(fd: isInputOpen ? STDIN_FILENO : -1, events: Int16(POLLIN), revents: 0),
      ]
      try retrying("poll") { poll(&waiting, 3, -1) }
      if waiting[0].revents != 0, let signal = try readSignal() {
        return signal == SIGWINCH ? .resized : .asked(signal: signal)
      }
      if waiting[1].revents & Int16(POLLOUT) != 0 { try flush() }
      if waiting[1].revents & ~Int16(POLLOUT) != 0, let event = try readSocket() { return event }
      if waiting[2].revents != 0 { return try readInput() }
    }
  }

  /// Sends what was typed. Bytes beyond what fits in the queue are dropped, as a terminal does. Bytes for a peer that is gone are dropped
  /// too, and the next event reports the end.
  ///
  /// - Throws: `SystemError`.
  public mutating func send(_ bytes: [UInt8]) throws(SystemError) {
    unsent += bytes.prefix(max(0, Self.limit - unsent.count))
    try flush()
  }

  /// Closes the sending direction.
  public func finish() { UnixStream.finishWriting(to: socket) }

  /// Writes what arrived to standard output; blocks until all of it is written.
  ///
  /// - Throws: `SystemError`.
  public func show(_ bytes: [UInt8]) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = try retrying("write") { rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) } }
      rest = rest.dropFirst(count)
    }
  }

  private mutating func flush() throws(SystemError) {
    do throws(SystemError) {
      unsent.removeFirst(try UnixStream.send(unsent[...], to: socket))
    } catch {
      if error.errno != EPIPE { throw error }
      unsent = []
    }
  }

  private func readSignal() throws(SystemError) -> Int32? {
    var info = signalfd_siginfo()
    let (number, size) = (signals.raw, MemoryLayout<signalfd_siginfo>.size)
    do throws(SystemError) {
      try retrying("read") { read(number, &info, size) }
    } catch {
      if error.errno == EAGAIN { return nil }
      throw error
    }
    return Int32(clamping: info.ssi_signo)
  }

  private func readSocket() throws(SystemError) -> Event? {
    do throws(SystemError) {
      guard let bytes = try UnixStream.receive(from: socket, upTo: Self.limit) else { return nil }
      return bytes.isEmpty ? .closed : .arrived(bytes)
    } catch {
      // The peer closed the connection without reading everything.
      if error.errno == ECONNRESET { return .closed }
      throw error
    }
  }

  private mutating func readInput() throws(SystemError) -> Event {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = try retrying("read") { read(STDIN_FILENO, &bytes, bytes.count) }
    if count > 0 { return .typed(Array(bytes[..<count])) }
    isInputOpen = false
    return .inputEnded
  }
}
