/// The lines of a passwd(5) or group(5) file, each as its fields. Fields after the eighth stay together. Empty lines are left out.
///
/// One line is split at a time, and by bytes: root in a guest may have filled the file with any number of them.
struct AccountLines: Sequence, IteratorProtocol {
  private var rest: Substring.UTF8View

  init(_ text: String?) { rest = Substring(text ?? "").utf8 }

  mutating func next() -> [Substring]? {
    rest = rest.drop { $0 == UInt8(ascii: "\n") }
    if rest.isEmpty { return nil }
    let line = rest.prefix { $0 != UInt8(ascii: "\n") }
    rest = rest[line.endIndex...]
    return line.split(separator: UInt8(ascii: ":"), maxSplits: 7, omittingEmptySubsequences: false).map {
      Substring($0)
    }
  }
}
