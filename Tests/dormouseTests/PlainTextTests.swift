import Testing

@testable import dormouse

@Suite("What a guest wrote is shown as plain text")
struct PlainTextTests {
  @Test(
    "escape sequences and control characters are removed from the text of a guest",
    arguments: [
      ("plain é 你", "plain é 你"), ("[\u{1B}[0;1;32m  OK  \u{1B}[0m] Started", "[  OK  ] Started"),
      ("a\r\u{1B}[Kb", "ab"),
      ("\u{1B}]0;title\u{07}text", "text"), ("\u{1B}]3008;start=x\u{1B}\\text", "text"), ("\u{1B}(Bx", "x"),
      ("\u{1B}cx", "x"),
      ("\u{1B}P1;2qdata\u{1B}\\x", "x"), ("a\u{7F}\u{9B}\u{0}b", "ab"), ("x\u{202E}y", "xy"), ("end\u{1B}", "end"),
      ("end\u{1B}[12", "end"), ("a\nb\tc", "a b c"),
    ])
  func plain(text: String, expected: String) {
    #expect(plainText(text) == expected)
  }

  @Test("an escape sequence that was cut off swallows no more than its own line")
  func lines() {
    #expect(plainText("a\u{1B}]0;cut\nb\tc\u{1B}[1\nd", lines: true) == "a\nb\tc\nd")
  }
}
