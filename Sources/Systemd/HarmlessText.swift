extension String {
  /// The text with every character replaced by U+FFFD that controls a terminal or a log, or reorders what a person reads: control and
  /// format characters (escape sequences, bidirectional overrides), line and paragraph separators.
  package var harmless: String {
    if unicodeScalars.allSatisfy(\.isHarmless) { return self }
    var result = UnicodeScalarView()
    for scalar in unicodeScalars { result.append(scalar.isHarmless ? scalar : "\u{FFFD}") }
    return String(result)
  }
}

extension Unicode.Scalar {
  fileprivate var isHarmless: Bool {
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: false
    default: true
    }
  }
}
