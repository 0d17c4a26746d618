import Testing

@testable import GuestSpec

@Suite("Values that somebody wrote to break the reader")
struct HostileValueTests {
  /// Bounds of every integer type, separators without anything between them, and letters that are more than one scalar.
  static let values: [String] = {
    let numbers = [
      "127", "128", "32767", "32768", "65535", "65536", "2147483647", "2147483648", "4294967295", "4294967296",
      "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
      String(repeating: "9", count: 400), "0." + String(repeating: "0", count: 400) + "1",
    ]
    let units = ["us", "s", "y", "%", "\u{2030}", "K", "E", "B", "E 1", ".5E", ":", ":infinity", "-", "%%", "\u{301}"]
    let signs = ["-", "+", "~", "@", "/", ":", "[::]:", "SIGRTMIN+", "RTMAX-", "0:", "0-", "tcp:", "+/a:", "-/a:"]
    let others = [
      "", " ", "\t", "%", "\\", "\\x", "\"", "'", "[", "]", "[]", "[:", "[]:", "[::", "::", ":::", "/:", ":/", "+",
      "+:",
      "-+", "~", "~@", "@", "@@", "%%%", "\\:", "\\\\:", "=", "==", ".", "..", "...", ",", ",,", "/../..", "\u{301}",
      "-\u{301}", "+\u{301}:/b", "~\u{301}read", "[\u{301}::]:80", "@\u{301}", "\u{FEFF}", "\u{1F468}\u{200D}\u{1F469}",
      String(repeating: ":", count: 5000), String(repeating: "x", count: 5000), String(repeating: "\\", count: 5001),
    ]
    return others + numbers
      + numbers.flatMap { number in
        units.map { number + $0 } + signs.map { $0 + number } + ["\(number)-\(number)", "\(number):\(number)"]
      }
  }()

  @Test("no setting of a guest file traps at a hostile value")
  func guestSettings() {
    for setting in Settings.exec + Settings.files + Settings.network + Settings.guest { assign(setting) }
  }

  @Test("no setting of a socket section traps at a hostile value")
  func socketSettings() {
    for setting in Settings.socket { assign(setting) }
  }

  @Test("a line of many unknown system calls names eight of them and counts the others")
  func unknownCalls() throws {
    var context = ValueContext(specifiers: nil, guestName: "web")
    let choices = try readSystemCalls((0..<4000).map { "x\($0)" }.joined(separator: " "), &context)
    #expect(choices.count == 4000)
    #expect(context.warnings.count == 9)
    #expect(context.warnings.last == "Dormouse does not know 3992 more system calls of this line")
  }

  private func assign<Target>(_ setting: Setting<Target>) {
    let specifiers = Specifiers(fragmentPath: "/etc/dormouse/web.guest")
    for value in Self.values {
      for specifiers in [specifiers, nil] {
        var target = Target.defaults
        var context = ValueContext(specifiers: specifiers, guestName: "web")
        do {
          try setting.assign(value, &target, &context)
        } catch {
          #expect(!error.reason.isEmpty, "\(setting.key)=\(value)")
        }
      }
    }
  }

  @Test("a limit of the longest time that can be written keeps its number")
  func longestLimit() throws {
    var context = ValueContext(specifiers: nil, guestName: "web")
    let limit = Value<ResourceLimit>.limit(.microseconds)
    #expect(try limit.parse("9223372036854775807", &context).soft == 9_223_372_036_854_775_807)
    #expect(throws: WrongValue.self) { try limit.parse("9223372036854775808", &context) }
  }
}
