/// The C-style escapes of systemd.syntax(7).
enum Escape {
  /// Decodes one escape sequence.
  ///
  /// - Parameters:
  ///   - rest: the text after the backslash.
  ///   - allowsNUL: whether an escape may stand for NUL, which no argument and no path can contain.
  /// - Returns: the bytes that the escape stands for, and its length without the backslash; nil when there is no such escape.
  static func known(_ rest: ArraySlice<UInt8>, allowsNUL: Bool) -> (meaning: [UInt8], length: Int)? {
    guard let first = rest.first else { return nil }
    let digits = rest.dropFirst()
    let least: UInt32 = allowsNUL ? 0 : 1
    switch first {
    case UInt8(ascii: "a"): return ([7], 1)
    case UInt8(ascii: "b"): return ([8], 1)
    case UInt8(ascii: "f"): return ([12], 1)
    case UInt8(ascii: "n"): return ([10], 1)
    case UInt8(ascii: "r"): return ([13], 1)
    case UInt8(ascii: "t"): return ([9], 1)
    case UInt8(ascii: "v"): return ([11], 1)
    case UInt8(ascii: "s"): return ([Byte.space], 1)
    case Byte.backslash, UInt8(ascii: "\""), UInt8(ascii: "'"): return ([first], 1)
    case UInt8(ascii: "x"): return number(digits, 2, radix: 16, in: least..<0x100).map { ([UInt8($0)], 3) }
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      return number(rest, 3, radix: 8, in: least..<0x100).map { ([UInt8($0)], 3) }
    case UInt8(ascii: "u"): return number(digits, 4, radix: 16, in: least..<0x11_0000).flatMap { scalar($0, 5) }
    case UInt8(ascii: "U"): return number(digits, 8, radix: 16, in: least..<0x11_0000).flatMap { scalar($0, 9) }
    default: return nil
    }
  }

  /// Reads exactly `count` digits.
  private static func number(_ digits: ArraySlice<UInt8>, _ count: Int, radix: Int, in range: Range<UInt32>) -> UInt32?
  {
    let digits = digits.prefix(count)
    guard digits.count == count, digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
      let value = UInt32(String(decoding: digits, as: UTF8.self), radix: radix), range.contains(value)
    else { return nil }
    return value
  }

  private static func scalar(_ value: UInt32, _ length: Int) -> (meaning: [UInt8], length: Int)? {
    Unicode.Scalar(value).map { (Array(String(Character($0)).utf8), length) }
  }
}

/// Resolves the C-style escapes of a text.
///
/// - Returns: the bytes, which may contain NUL; nil when the text contains an invalid escape.
public func unescaped(_ text: some StringProtocol) -> [UInt8]? {
  var result: [UInt8] = []
  var rest = Array(text.utf8)[...]
  while let byte = rest.popFirst() {
    guard byte == Byte.backslash else {
      result.append(byte)
      continue
    }
    guard let (meaning, length) = Escape.known(rest, allowsNUL: true) else { return nil }
    result += meaning
    rest = rest.dropFirst(length)
  }
  return result
}
