extension Value<UInt16> {
  /// An access mode in octal.
  static let mode = Value("an access mode") { (text, _) throws(WrongValue) in
    guard text.utf8.first != UInt8(ascii: "+"), let mode = UInt16(text, radix: 8), mode <= 0o7777 else {
      throw WrongValue("not an access mode; write it in octal, such as 0660")
    }
    return mode
  }
}

extension Value<UInt32> {
  static let unsigned = Value("a number") { (text, _) throws(WrongValue) in
    guard let number = decimal(text, as: UInt32.self) else {
      throw WrongValue("not a number from 0 to 4294967295")
    }
    return number
  }
}

extension Value<UInt32?> {
  /// TCP_KEEPCNT: the kernel takes 1 to 127; 0 means the kernel's own setting.
  static let probes = Value("a number of probes") { (text, _) throws(WrongValue) in
    guard let number = decimal(text, as: UInt32.self), number <= 127 else {
      throw WrongValue("not a number of probes; write 1 to 127")
    }
    return number == 0 ? nil : number
  }
}

extension Value<UInt64?> {
  /// SO_RCVBUF and SO_SNDBUF are an int in the kernel; 0 means the kernel's own setting.
  static let bufferSize = Value("a size") { (text, _) throws(WrongValue) in
    guard let size = byteSize(text) else { throw WrongValue("not a size; write bytes, or a number with K, M or G") }
    if size > UInt64(Int32.max) { throw WrongValue("a socket's buffer cannot be larger than 2G-1; write less") }
    return size == 0 ? nil : size
  }
}

/// Bytes, with systemd's suffixes to the base of 1024 and a fraction where there is a suffix: `64K`, `1.5M`.
func byteSize(_ text: String) -> UInt64? {
  let suffixes: [(Character, UInt64)] = [
    ("B", 0), ("K", 10), ("M", 20), ("G", 30), ("T", 40), ("P", 50), ("E", 60),
  ]
  var number = Substring(text)
  var unit: UInt64 = 1
  if let last = text.last, let (_, shift) = suffixes.first(where: { $0.0 == last }) {
    number = number.dropLast()
    unit = 1 << shift
  }
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
