import Testing
import UnitSyntax

@Suite("Words, quotes and escapes of systemd.syntax(7)")
struct WordsTests {
  @Test(
    "a value is split into words as systemd splits it",
    arguments: [
      ("", []), ("  ", []), ("a b\tc", ["a", "b", "c"]), ("\"a b\" 'c d'", ["a b", "c d"]),
      ("\"\" x ''", ["", "x", ""]),
      ("FOO=\"a b\"", ["FOO=a b"]), ("\"it's\" 'say \"x\"'", ["it's", "say \"x\""]),
      ("a\\sb", ["a b"]), ("\\a\\b\\f\\n\\r\\t\\v", ["\u{7}\u{8}\u{C}\n\r\t\u{B}"]),
      ("\\\\ \\\" \\'", ["\\", "\"", "'"]), ("\\x41\\101\\u00e4\\U0001F600", ["AA\u{e4}\u{1F600}"]),
      ("\\xc3\\xa4", ["\u{e4}"]), ("'a\\sb'", ["a b"]), ("a\u{301} b", ["a\u{301}", "b"]),
    ])
  func split(text: String, words: [String]) throws {
    #expect(try Words(text).words == words)
    #expect(try Words(text).unknownEscapes.isEmpty)
  }

  @Test(
    "an invalid escape is kept unchanged and reported",
    arguments: [
      "\\q", "\\x4", "\\x00", "\\000", "\\400", "\\u12", "\\ud800", "\\U00110000", "\\ä", "\\", "\\x+1", "a\\ b",
    ])
  func unknownEscapes(text: String) throws {
    let words = try Words(text)
    #expect(words.words == [text])
    #expect(words.unknownEscapes.count == 1)
  }

  @Test("a quote that is not closed, and escapes that produce invalid UTF-8, are errors")
  func errors() {
    #expect(throws: WordsError.unclosedQuote("\"")) { try Words("a \"b c") }
    #expect(throws: WordsError.unclosedQuote("'")) { try Words("it's") }
    #expect(throws: WordsError.notText) { try Words("\\xff") }
  }
}
