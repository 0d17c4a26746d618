extension String {
  /// The text with everything in it that a terminal, a log or a reader would obey replaced by U+FFFD: control and format
  /// characters (escape sequences, bidirectional overrides), line and paragraph separators.
  var harmless: String {
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
