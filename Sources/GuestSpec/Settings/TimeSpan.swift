/// A time span of systemd.time(7).
enum TimeSpan: Equatable {
  /// A time span of at most `Int64.max` microseconds.
  case finite(microseconds: UInt64)
  case infinity

  /// The units in microseconds. Where a spelling begins with another, the longer one comes first.
  private static let units: [(String, UInt64)] = [
    ("seconds", second), ("second", second), ("sec", second), ("s", second),
    ("minutes", minute), ("minute", minute), ("min", minute),
    ("months", month), ("month", month), ("M", month),
    ("msec", 1000), ("ms", 1000), ("m", minute),
    ("hours", hour), ("hour", hour), ("hr", hour), ("h", hour),
    ("days", day), ("day", day), ("d", day),
    ("weeks", 7 * day), ("week", 7 * day), ("w", 7 * day),
    ("years", year), ("year", year), ("y", year),
    // The micro sign and the Greek letter look the same.
    ("usec", 1), ("us", 1), ("\u{B5}s", 1), ("\u{3BC}s", 1),
  ]
  static let second: UInt64 = 1_000_000
  private static let minute = 60 * second
  private static let hour = 60 * minute
  private static let day = 24 * hour
  private static let month: UInt64 = 2_629_800 * second
  private static let year: UInt64 = 31_557_600 * second

  /// Reads `5min 20s`, `1.5h`, `90` (in `unit`) or `infinity`; nil when the text is not a time span, or longer than 63 bits of
  /// microseconds can hold.
  init?(_ text: String, unit: UInt64 = second) {
    var rest = text.utf8[...].drop(while: Self.isSpace)
    if String(decoding: rest, as: UTF8.self) == "infinity" {
      self = .infinity
      return
    }
    if rest.isEmpty { return nil }
    var total: UInt64 = 0
    while !rest.isEmpty {
      guard let part = Self.part(&rest, unit) else { return nil }
      let (sum, overflow) = total.addingReportingOverflow(part)
      if overflow { return nil }
      total = sum
    }
    if total > UInt64(Int64.max) { return nil }
    self = .finite(microseconds: total)
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

  /// Takes a number with its unit off the front and returns it in microseconds; `plain` is the unit where there is none.
  private static func part(_ rest: inout Substring.UTF8View, _ plain: UInt64) -> UInt64? {
    let whole = rest.prefix(while: isDigit)
    rest = rest[whole.endIndex...]
    var fraction = rest[rest.startIndex..<rest.startIndex]
    if rest.first == UInt8(ascii: ".") {
      fraction = rest.dropFirst().prefix(while: isDigit)
      if fraction.isEmpty { return nil }
      rest = rest[fraction.endIndex...]
    }
    rest = rest.drop(while: isSpace)
    let unit = units.first { rest.starts(with: $0.0.utf8) }
    rest = rest.dropFirst(unit?.0.utf8.count ?? 0).drop(while: isSpace)
    // systemd accepts ".5s" as half a second.
    let digits = whole.isEmpty && !fraction.isEmpty ? "0" : String(decoding: whole, as: UTF8.self)
    guard let number = UInt64(digits) else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit?.1 ?? plain)
    if overflow { return nil }
    var share = unit?.1 ?? plain
    var extra: UInt64 = 0
    for digit in fraction {
      share /= 10
      extra += UInt64(digit - UInt8(ascii: "0")) * share
    }
    let (sum, sumOverflow) = product.addingReportingOverflow(extra)
    return sumOverflow ? nil : sum
  }
}

private let remedy = "not a time span; write for example 30s, 5min, 1h 30min or infinity"

/// A time span; nil stands for `infinity`.
func readTimeSpan(_ text: String) throws(WrongValue) -> Duration? {
  switch TimeSpan(text) {
  case .finite(let microseconds): return .microseconds(Int64(clamping: microseconds))
  case .infinity: return nil
  case nil: throw WrongValue(remedy)
  }
}

/// A timeout as `TimeoutStartSec=` of systemd.service(5): 0 disables it, as `infinity` does.
func readTimeout(_ text: String) throws(WrongValue) -> Duration? {
  let span = try readTimeSpan(text)
  return span == .zero ? nil : span
}

/// A TCP option that the kernel stores in whole seconds, at most 32767; 0 keeps the kernel's default.
func readTCPSeconds(_ text: String) throws(WrongValue) -> Duration? {
  guard let span = TimeSpan(text) else { throw WrongValue("not a time span; write for example 30s or 2min") }
  guard case .finite(let microseconds) = span, microseconds <= 32767 * TimeSpan.second else {
    throw WrongValue("longer than the kernel allows; write at most 32767s")
  }
  return microseconds == 0 ? nil : .microseconds(Int64(clamping: microseconds))
}
