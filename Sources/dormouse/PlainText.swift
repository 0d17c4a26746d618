/// Makes text from a guest safe for the terminal of the host: removes escape sequences and control characters.
///
/// Newlines become spaces unless `lines` is true. Escape sequences are recognized as in ECMA-48.
func plainText(_ text: String, lines: Bool = false) -> String {
  var plain = String.UnicodeScalarView()
  var parser = EscapeParser()
  for scalar in text.unicodeScalars where !parser.swallows(scalar) {
    switch scalar {
    case "\n": plain.append(lines ? "\n" : " ")
    case "\t": plain.append(lines ? "\t" : " ")
    default:
      switch scalar.properties.generalCategory {
      // Format characters can reverse the direction of the text around them.
      case .control, .format, .lineSeparator, .paragraphSeparator: continue
      default: plain.append(scalar)
      }
    }
  }
  return String(plain)
}

/// A parser of terminal escape sequences that takes one character at a time.
private struct EscapeParser {
  private enum State {
    case text
    /// After ESC.
    case escape
    /// After ESC [, up to a final character.
    case control
    /// After ESC ], P, X, ^ or _, up to BEL or ESC \.
    case string
    case stringEscape
  }

  private var state = State.text

  /// Whether the character is part of an escape sequence.
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
    // A newline ends every sequence, so that one that was cut off does not swallow further lines.
    case (.string, "\n"), (.control, "\n"), (.escape, "\n"):
      state = .text
      return false
    case (.string, _): break
    case (.escape, _), (.control, _): state = .text
    }
    return true
  }
}
