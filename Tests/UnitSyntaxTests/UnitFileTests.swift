import Testing
import UnitSyntax

@Suite("Sections and assignments of systemd.syntax(7)")
struct UnitFileTests {
  @Test("the example of systemd.syntax(7) is parsed as the manual describes")
  func manualExample() {
    let file = UnitFile(
      """
      [Section A]
      KeyOne=value 1
      KeyTwo=value 2

      # a comment

      [Section B]
      Setting="something" "some thing" "..."
      KeyTwo=value 2 \\
             value 2 continued

      [Section C]
      KeyThree=value 3\\
      # this line is ignored
      ; this line is ignored too
             value 3 continued
      """)
    #expect(file.diagnostics.isEmpty)
    #expect(file.sections.map(\.name) == ["Section A", "Section B", "Section C"])
    #expect(
      file.assignments == [
        "2 KeyOne=value 1", "3 KeyTwo=value 2",
        "8 Setting=\"something\" \"some thing\" \"...\"", "9 KeyTwo=value 2         value 2 continued",
        "13 KeyThree=value 3        value 3 continued",
      ])
  }

  @Test(
    "an assignment is parsed in each of its spellings",
    arguments: [
      ("K=v", "v"), ("  K =  v  ", "v"), ("\tK\t=\tv\t", "v"), ("K=", ""), ("K= a = b ", "a = b"), ("K=v\r", "v"),
      ("K=v#no comment", "v#no comment"), ("K=v \\\\", "v \\\\"), ("K=a\\\nb", "a b"), ("K=a\\\r\nb", "a b"),
      ("K=a\\", "a"), ("K=a\\\n\nb=c", "a"), ("K=a\\\\\\\nb", "a\\\\ b"), ("K=a\\\n#x\\\nb", "a b"),
      ("K=\\\n  \\\n v", "v"), ("K=ä\u{301}", "ä\u{301}"), ("K=\u{301}x", "\u{301}x"),
    ])
  func spellings(line: String, value: String) {
    let entry = UnitFile("[S]\n" + line).sections.first?.entries.first
    #expect(entry?.key == "K")
    #expect(entry.map { Array($0.value.utf8) } == Array(value.utf8))
    #expect(entry?.line == 2)
  }

  @Test("a section that occurs twice stays two sections, and an empty section is a section")
  func repeatedSections() {
    let file = UnitFile("[A]\nK=1\n[B]\n[A]\nK=2\n")
    #expect(file.sections.map(\.name) == ["A", "B", "A"])
    #expect(file.sections.map(\.line) == [1, 3, 4])
    #expect(file.sections.map(\.entries.count) == [1, 0, 1])
  }

  @Test(
    "a syntax error is reported with its line",
    arguments: [
      ("K=v", "f:1: K=v: the assignment is in no section; write a [Section] above it"),
      ("[S]\nword", "f:2: word: not a comment, a [Section] or Key=value; the '=' is missing"),
      ("[S]\n=v", "f:2: =v: the key before '=' is missing"),
      ("\n[S\nK=v\nL=w", "f:2: [S: the section header does not end in ']'; the section was ignored"),
      ("[S] # x", "f:1: [S] # x: the section header does not end in ']'; the section was ignored"),
      ("[]", "f:1: []: not a section name; the section was ignored"),
      ("[S]\n\nK=a\0b", "f:3: the line contains a NUL byte; the file is damaged or not a text file"),
      (
        "\u{FEFF}[S]",
        "f:1: warning: the file starts with a byte order mark, which is ignored; save it as UTF-8 without one"
      ),
      (
        "[S]\nK=v\r\nL=w\r\n",
        "f:2: warning: the line ends in a carriage return (CR); save the file with Unix line endings"
      ),
    ])
  func problems(text: String, message: String) {
    #expect(UnitFile(text).diagnostics.map(\.description) == [message])
  }

  @Test("invalid UTF-8 is reported at its own line, also within a continued line, and the rest of the file is parsed")
  func invalidUTF8() {
    let file = UnitFile(path: "f", bytes: Array("[S]\nK=a\\\n".utf8) + [0xFF, 0x0A] + Array("L=w\n# ".utf8) + [0xFE])
    #expect(file.diagnostics.map(\.description) == ["f:3: the line is not valid UTF-8; save the file as UTF-8"])
    #expect(file.assignments == ["4 L=w"])
  }

  @Test("the section after an invalid header is parsed again")
  func recovery() {
    let file = UnitFile("[A\nK=1\n[B]\nL=2")
    #expect(file.diagnostics.count == 1)
    #expect(file.assignments == ["4 L=2"])
  }

  @Test("a line above 1 MiB and a file above 4 MiB are reported and not parsed")
  func limits() {
    let long = UnitFile("[S]\nK=" + String(repeating: "x", count: UnitFile.lineLimit) + "\nL=1")
    #expect(long.diagnostics.map(\.description) == ["f:2: the line is longer than 1 MiB; use several assignments"])
    #expect(long.assignments == ["3 L=1"])
    let joined = UnitFile("[S]\nK=" + String(repeating: "0123456789abcde\\\n", count: 70_000) + "\nL=1")
    #expect(joined.diagnostics.map(\.line) == [2])
    let huge = UnitFile(path: "f", bytes: [UInt8](repeating: 0x23, count: UnitFile.sizeLimit + 1))
    #expect(huge.diagnostics.map(\.description) == ["f: the file is larger than 4 MiB and was not read"])
  }

  @Test("of a file of 5,000 errors a hundred are reported, and that there are more")
  func manyProblems() {
    let file = UnitFile(String(repeating: "x\n", count: 5000))
    #expect(file.diagnostics.count == UnitFile.diagnosticLimit + 1)
    #expect(file.diagnostics.last?.line == 0)
  }

  @Test("the parser does not trap at any prefix or damaged copy of any file of the corpus")
  func prefixes() {
    for text in Corpus.files {
      let bytes = Array(text.utf8)
      for end in 0...bytes.count { _ = UnitFile(path: "f", bytes: Array(bytes[..<end])) }
      for index in bytes.indices {
        for damage: UInt8 in [0, 0x0A, 0x22, 0x5B, 0x5C, 0xFF] {
          var damaged = bytes
          damaged[index] = damage
          let file = UnitFile(path: "f", bytes: damaged)
          for section in file.sections { for entry in section.entries { _ = try? Words(entry.value) } }
        }
      }
    }
  }
}

extension UnitFile {
  init(_ text: String) { self.init(path: "f", bytes: Array(text.utf8)) }

  /// Every assignment as `LINE KEY=VALUE`.
  var assignments: [String] { sections.flatMap(\.entries).map { "\($0.line) \($0.key)=\($0.value)" } }
}

enum Corpus {
  static let files = [
    "[Exec]\nBoot=yes\nParameters=\"a b\" 'c \\x41' \\u00e4 \\\n  # comment\n  d\nEnvironment=A=1 \"B=x y\"\n",
    "\u{FEFF}; comment\r\n[Socket]\r\nListenStream=[::1]:80%eth0\r\nListenStream=\r\n[Socket]\r\nListenStream=@ä\r\n",
    "[Guest]\nDirectory=%Y/root\nIdleStopSec=1h 30min\n[S\n=\n[]\nx\n[Files]\nBind=-/a\\:b:/c:norbind\n",
  ]
}
