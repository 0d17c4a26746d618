extension Signal: CustomStringConvertible {
  /// The names of signal(7) with the numbers of all architectures but Alpha, MIPS and PA-RISC. Where two names have one number, the
  /// first is printed.
  private static let names: [(String, Int32)] = [
    ("HUP", 1), ("INT", 2), ("QUIT", 3), ("ILL", 4), ("TRAP", 5), ("ABRT", 6), ("IOT", 6), ("BUS", 7), ("FPE", 8),
    ("KILL", 9), ("USR1", 10), ("SEGV", 11), ("USR2", 12), ("PIPE", 13), ("ALRM", 14), ("TERM", 15), ("STKFLT", 16),
    ("CHLD", 17), ("CLD", 17), ("CONT", 18), ("STOP", 19), ("TSTP", 20), ("TTIN", 21), ("TTOU", 22), ("URG", 23),
    ("XCPU", 24), ("XFSZ", 25), ("VTALRM", 26), ("PROF", 27), ("WINCH", 28), ("IO", 29), ("POLL", 29), ("PWR", 30),
    ("SYS", 31),
  ]
  /// The distance between SIGRTMIN (34) and SIGRTMAX (64) in glibc.
  private static let realtimeCount: Int32 = 30

  /// Reads a signal such as `SIGTERM`, `TERM`, `15`, `SIGRTMIN+3` or `RTMAX-2`; nil when there is no such signal.
  public init?(_ text: String) {
    let name = text.hasPrefix("SIG") ? String(text.dropFirst(3)) : text
    if let known = Self.names.first(where: { $0.0 == name }) {
      self = .number(known.1)
    } else if name == text, let number = decimal(text, as: Int32.self), (1...31).contains(number) {
      self = .number(number)
    } else if let offset = Self.offset(name, after: "RTMIN", sign: "+") {
      self = .realtime(offset)
    } else if let offset = Self.offset(name, after: "RTMAX", sign: "-") {
      self = .realtime(Self.realtimeCount - offset)
    } else {
      return nil
    }
  }

  private static func offset(_ name: String, after base: String, sign: Character) -> Int32? {
    guard name.hasPrefix(base) else { return nil }
    let rest = name.dropFirst(base.count)
    if rest.isEmpty { return 0 }
    guard rest.first == sign, let offset = decimal(rest.dropFirst(), as: Int32.self), offset <= realtimeCount else {
      return nil
    }
    return offset
  }

  /// The name of the signal: `SIGTERM`, `SIGRTMIN+3`.
  public var description: String {
    switch self {
    case .number(let number): Self.names.first { $0.1 == number }.map { "SIG" + $0.0 } ?? "signal \(number)"
    case .realtime(0): "SIGRTMIN"
    case .realtime(let offset): "SIGRTMIN+\(offset)"
    }
  }
}

func readSignal(_ text: String) throws(WrongValue) -> Signal {
  guard let signal = Signal(text) else {
    throw WrongValue("not a signal; write a name of signal(7) such as SIGTERM or SIGRTMIN+3")
  }
  return signal
}
