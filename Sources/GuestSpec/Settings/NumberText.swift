/// An access mode in octal.
func readMode(_ text: String) throws(WrongValue) -> UInt16 {
  guard text.utf8.first != UInt8(ascii: "+"), let mode = UInt16(text, radix: 8), mode <= 0o7777 else {
    throw WrongValue("not an access mode; write an octal number such as 0660")
  }
  return mode
}

/// Reads how many guests may start at once. With 0 no guest would ever start.
func readStarts(_ text: String) throws(WrongValue) -> UInt32 {
  guard let number = decimal(text, as: UInt32.self), number > 0 else {
    throw WrongValue("not a number of guests; write a number from 1 on, such as 4")
  }
  return number
}

/// A number of terminals. The limit bounds what the daemon does: it holds and reads each terminal while the guest runs.
func readTerminals(_ text: String) throws(WrongValue) -> Int {
  guard let number = decimal(text, as: Int.self), number <= 16 else {
    throw WrongValue("not a number of terminals; write 0 to 16")
  }
  return number
}

func readUnsigned(_ text: String) throws(WrongValue) -> UInt32 {
  guard let number = decimal(text, as: UInt32.self) else {
    throw WrongValue("not a number from 0 to 4294967295")
  }
  return number
}

/// A value for TCP_KEEPCNT: 1 to 127, or 0 for the kernel's default.
func readProbes(_ text: String) throws(WrongValue) -> UInt32? {
  guard let number = decimal(text, as: UInt32.self), number <= 127 else {
    throw WrongValue("not a number of probes; write 1 to 127")
  }
  return number == 0 ? nil : number
}

/// A value for SO_RCVBUF or SO_SNDBUF, which is an int in the kernel; 0 keeps the kernel's default.
func readBufferSize(_ text: String) throws(WrongValue) -> UInt64? {
  guard let size = byteSize(text) else { throw WrongValue("not a size; write bytes, or a number with K, M or G") }
  if size > UInt64(Int32.max) {
    throw WrongValue("larger than 2147483647 bytes, the limit for the buffer of a socket")
  }
  return size == 0 ? nil : size
}

/// The suffixes of sizes and their powers of two, from the largest to the smallest.
private let sizeSuffixes: [(Character, UInt64)] = [
  ("E", 60), ("P", 50), ("T", 40), ("G", 30), ("M", 20), ("K", 10), ("B", 0),
]

/// Reads a size in bytes as systemd does, with suffixes to the base of 1024: `64K`, `1.5M`, or a sum with the larger suffix first,
/// `1G 500M`. A fraction needs a suffix.
func byteSize(_ text: String) -> UInt64? {
  var total: UInt64 = 0
  var rest = Substring(text)
  var suffixes = sizeSuffixes[...]
  repeat {
    let number = rest.prefix { character in !sizeSuffixes.contains { $0.0 == character } }
    let suffix = rest.dropFirst(number.count).first
    guard let place = suffixes.firstIndex(where: { $0.0 == suffix ?? "B" }) else { return nil }
    let unit = UInt64(1) << suffixes[place].1
    guard let part = bytes(number.drop { $0 == " " }, unit: suffix == nil ? 1 : unit) else { return nil }
    let (sum, overflow) = total.addingReportingOverflow(part)
    if overflow { return nil }
    total = sum
    suffixes = suffixes[(place + 1)...]
    rest = rest.dropFirst(number.count + (suffix == nil ? 0 : 1))
  } while !rest.isEmpty
  return total
}

/// Multiplies a decimal number by `unit`. It may have a fraction where the unit is more than a byte.
private func bytes(_ text: Substring, unit: UInt64) -> UInt64? {
  var number = text
  while number.last == " " { number = number.dropLast() }
  let parts = number.split(separator: ".", omittingEmptySubsequences: false)
  guard let head = parts.first, !head.isEmpty, parts.count <= 2, let whole = decimal(head, as: UInt64.self) else {
    return nil
  }
  let (product, overflow) = whole.multipliedReportingOverflow(by: unit)
  if overflow { return nil }
  guard parts.count == 2, let tail = parts.last else { return product }
  guard unit > 1, (1...9).contains(tail.utf8.count), let digits = decimal(tail, as: UInt64.self) else { return nil }
  let scale = tail.utf8.reduce(into: UInt64(1)) { power, _ in power *= 10 }
  // digits < scale, so the quotient is below the unit and fits.
  let fraction = scale.dividingFullWidth(digits.multipliedFullWidth(by: unit)).quotient
  let (sum, sumOverflow) = product.addingReportingOverflow(fraction)
  return sumOverflow ? nil : sum
}
