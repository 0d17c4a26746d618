// The values of systemd.resource-control(5), with the rules of systemd's parsers.

/// An amount of memory that is reserved for the guest, or of its swap: it may be zero.
func readMemory(_ text: String) throws(WrongValue) -> Resources.Amount {
  if text == "infinity" { return .infinity }
  if let share = tenThousandths(text) { return .share(try whole(share)) }
  guard let size = byteSize(text), size < .max else {
    throw WrongValue("not an amount of memory; write bytes, a number with K, M, G or T, a percentage, or infinity")
  }
  return .count(size)
}

/// A limit of memory, which must not be zero.
func readMemoryLimit(_ text: String) throws(WrongValue) -> Resources.Amount {
  let amount = try readMemory(text)
  if amount == .count(0) || amount == .share(0) { throw WrongValue("nothing runs without memory; write more than 0") }
  return amount
}

func readDiskLimit(_ text: String) throws(WrongValue) -> Resources.Amount {
  guard let amount = try? readMemory(text), amount != .count(0), amount != .share(0) else {
    throw WrongValue(
      "not a limit of space; write bytes, a number with K, M, G or T, a percentage of the file system, or infinity")
  }
  return amount
}

/// Reads how much space stays free; 0 is no floor.
func readFreeSpace(_ text: String) throws(WrongValue) -> Resources.Amount {
  guard let amount = try? readMemory(text), amount != .infinity else {
    throw WrongValue(
      "not an amount of space; write bytes, a number with K, M, G or T, or a percentage of the file system")
  }
  return amount
}

func readTasks(_ text: String) throws(WrongValue) -> Resources.Amount {
  if text == "infinity" { return .infinity }
  if let share = tenThousandths(text) { return .share(try whole(share)) }
  guard let number = decimal(text, as: UInt64.self), number > 0, number < .max else {
    throw WrongValue("not a number of tasks; write a number from 1 on, a percentage, or infinity")
  }
  return .count(number)
}

private func whole(_ share: UInt32) throws(WrongValue) -> UInt32 {
  if share > 10_000 { throw WrongValue("more than all there is; write at most 100%") }
  return share
}

func readProcessorShare(_ text: String) throws(WrongValue) -> UInt32 {
  guard let share = tenThousandths(text), share > 0 else {
    throw WrongValue("not a share of a processor; write a percentage such as 20%, or 200% for two processors")
  }
  return share
}

func readWeight(_ text: String) throws(WrongValue) -> UInt32 {
  guard let number = decimal(text, as: UInt32.self), (1...10_000).contains(number) else {
    throw WrongValue("not a weight; write a number from 1 to 10000")
  }
  return number
}

func readProcessorWeight(_ text: String) throws(WrongValue) -> Resources.Weight {
  text == "idle" ? .idle : .number(try readWeight(text))
}

/// Reads `20%`, `0.25%`, `5‰` or `7‱` in ten-thousandths; nil for any other text, and beyond 31 bits, the limit of systemd.
private func tenThousandths(_ text: String) -> UInt32? {
  for (sign, places) in [("%", 2), ("\u{2030}", 1), ("\u{2031}", 0)] where text.hasSuffix(sign) {
    let parts = text.dropLast().split(separator: ".", omittingEmptySubsequences: false)
    guard let head = parts.first, !head.isEmpty, parts.count <= 2 else { return nil }
    let tail = parts.count == 2 ? parts[1] : ""
    // At least one digit must follow the point, and at most as many as ten-thousandths can represent.
    guard parts.count == 1 || 1 <= tail.utf8.count && tail.utf8.count <= places else { return nil }
    let value = decimal(head + tail + String(repeating: "0", count: places - tail.utf8.count), as: UInt64.self)
    return value.flatMap { $0 <= UInt64(Int32.max) ? UInt32($0) : nil }
  }
  return nil
}
