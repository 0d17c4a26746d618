extension ResourceLimit {
  /// The unit of a resource limit, as in systemd.exec(5) "Process Properties".
  enum Unit {
    case count, bytes, seconds, microseconds, nice
  }
}

/// `LIMIT` for both limits, or `SOFT:HARD`; each may be `infinity`.
func readLimit(_ text: String, _ unit: ResourceLimit.Unit) throws(WrongValue) -> ResourceLimit {
  let parts = text.split(at: UInt8(ascii: ":"))
  guard let first = parts.first, parts.count <= 2 else { throw WrongValue("write one limit, or SOFT:HARD") }
  let soft = try bound(first, unit)
  let hard = parts.count == 2 ? try bound(parts[1], unit) : soft
  guard soft <= hard else {
    throw WrongValue("the soft limit is above the hard one; write the smaller number first")
  }
  return ResourceLimit(soft: soft, hard: hard)
}

private func bound(_ text: String, _ unit: ResourceLimit.Unit) throws(WrongValue) -> UInt64 {
  if text == "infinity", unit != .nice { return ResourceLimit.unlimited }
  let number: UInt64? =
    switch unit {
    case .count: decimal(text)
    case .bytes: byteSize(text)
    // The kernel counts whole seconds; a fraction is rounded up.
    case .seconds: span(text, unit: TimeSpan.second).map { $0 == .max ? $0 : ($0 + 999_999) / 1_000_000 }
    case .microseconds: span(text, unit: 1)
    case .nice: nice(text)
    }
  guard let number else { throw WrongValue("\"\(text.shortened)\" is not \(unit.words); \(unit.remedy)") }
  return number
}

private func span(_ text: String, unit: UInt64) -> UInt64? {
  switch TimeSpan(text, unit: unit) {
  case .finite(let microseconds): microseconds
  case .infinity: ResourceLimit.unlimited
  case nil: nil
  }
}

/// A nice level from -20 to +19 with its sign, or without a sign the kernel's number, which is 20 minus the level.
private func nice(_ text: String) -> UInt64? {
  let sign = text.utf8.first
  guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else {
    return decimal(text, as: UInt64.self).flatMap { $0 <= 40 ? $0 : nil }
  }
  guard let level = decimal(text.dropFirst(), as: UInt64.self) else { return nil }
  if sign == UInt8(ascii: "+") { return level < 20 ? 20 - level : nil }
  return level <= 20 ? 20 + level : nil
}

extension ResourceLimit.Unit {
  /// What a message calls a limit in this unit.
  var words: String {
    switch self {
    case .count: "a limit"
    case .bytes: "a limit in bytes"
    case .seconds: "a limit in seconds"
    case .microseconds: "a limit in microseconds"
    case .nice: "a nice limit"
    }
  }

  fileprivate var remedy: String {
    switch self {
    case .count: "write a number or infinity"
    case .bytes: "write bytes, a number with K, M, G or T, or infinity"
    case .seconds, .microseconds: "write a number, a time span such as 10s, or infinity"
    case .nice: "write a nice level with its sign, -20 to +19, or the kernel's number, 0 to 40"
    }
  }
}
