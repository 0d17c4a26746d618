/// Text of a guest for the terminal of the host: without escape sequences and control characters, whoever wrote them.
///
/// A newline becomes a space, unless `lines`. What is taken out is told from what is left by ECMA-48.
func plainText(_ text: String, lines: Bool = false) -> String {
  var plain = String.UnicodeScalarView()
  var parser = EscapeParser()
  for scalar in text.unicodeScalars where !parser.swallows(scalar) {
    switch scalar {
    case "\n": plain.append(lines ? "\n" : " ")
    case "\t": plain.append(lines ? "\t" : " ")
    default:
      switch scalar.properties.generalCategory {
      // Format characters can turn the direction of the text around them.
      case .control, .format, .lineSeparator, .paragraphSeparator: continue
      default: plain.append(scalar)
      }
    }
  }
  return String(plain)
}

/// Follows a terminal's escape sequences, one character after the other.
private struct EscapeParser {
  private enum State {
    case text
    /// After ESC.
    case escape
    /// After ESC [, until a final character.
    case control
    /// After ESC ], P, X, ^ or _, until BEL or ESC \.
    case string
    case stringEscape
  }

  private var state = State.text

  /// Whether the character belongs to a sequence.
  mutating func swallows(_ scalar: Unicode.Scalar) -> Bool {
    switch (state, scalar) {
    case (.text, "\u{1B}"): state = .escape
    case (.text, _): return false
    case (.escape, "["): state = .control
    case (.escape, "]"), (.escape, "P"), (.escape, "X"), (.escape, "^"), (.escape, "_"): state = .string
    case (.escape, " "..."/"): break
    case (.control, "\u{20}"..."\u{3F}"): break
    case (.string, "\u{07}"), (.stringEscape, _): state = .text
    case (.string, "\u{1B}"): state = .stringEscape
    // A line never belongs to a sequence: one that was cut off takes no more than its own.
    case (.string, "\n"), (.control, "\n"), (.escape, "\n"):
      state = .text
      return false
    case (.string, _): break
    case (.escape, _), (.control, _): state = .text
    }
    return true
  }
}
