import Testing

@testable import GuestSpec

@Suite("Values")
struct ValueTests {
  private func parse<T>(_ value: Value<T>, _ text: String) throws(WrongValue) -> T {
    var context = ValueContext(
      specifiers: Specifiers(fragmentPath: "/c/web.guest", host: ["H": "box"]), guestName: "web")
    return try value.parse(text, &context)
  }

  @Test(
    "a time span is read as systemd.time(7) describes",
    arguments: [
      ("2 h", 7200), ("2hours", 7200), ("48hr", 172_800), ("1y 12month", 63_115_200), ("55s500ms", 55.5),
      ("300ms20s 5day", 432_020.3), ("50", 50), ("2min 200ms", 120.2), ("1.5h", 5400), ("0", 0), (".5s", 0.5),
      ("0.25", 0.25), ("1 w", 604_800), ("3M", 7_889_400), ("3m", 180), ("7us", 0.000007), ("7\u{B5}s", 0.000007),
      ("7\u{3BC}s", 0.000007), ("5 6", 11), ("", nil), (" ", nil), ("-1", nil), ("1x", nil), ("s", nil), ("1.", nil),
      ("1e3", nil), ("9999999999999999999", nil), ("1 fortnight", nil), ("infinity s", nil), ("1mins", nil),
    ] as [(String, Double?)])
  func timeSpans(text: String, seconds: Double?) {
    #expect(TimeSpan(text) == seconds.map { .finite(microseconds: UInt64(($0 * 1_000_000).rounded())) })
  }

  @Test("infinity stands for no limit, as does 0 for a timeout, and for a TCP option 0 stands for the kernel's default")
  func spansWithoutEnd() throws {
    #expect(TimeSpan("infinity") == .infinity)
    #expect(try parse(Value<Duration?>.timeSpan, "infinity") == nil)
    #expect(try parse(Value<Duration?>.timeSpan, "0") == .zero)
    #expect(try parse(Value<Duration?>.timeout, "0") == nil)
    #expect(try parse(Value<Duration?>.tcpSeconds, "0") == nil)
    #expect(try parse(Value<Duration?>.tcpSeconds, "32767") == .seconds(32767))
    #expect(throws: WrongValue.self) { try parse(Value<Duration?>.tcpSeconds, "32768") }
  }

  @Test(
    "a size in bytes may have suffixes to the base of 1024",
    arguments: [
      ("0", 0), ("17", 17), ("17B", 17), ("64K", 65536), ("64 K", 65536), ("1.5M", 1_572_864), ("2G", 2 << 30),
      ("15E", 15 << 60), ("16E", nil), ("", nil), ("K", nil), ("1.5", nil), ("1.K", nil), ("1k", nil), ("-1", nil),
      ("1.2.3K", nil), ("+1", nil),
    ] as [(String, UInt64?)])
  func sizes(text: String, bytes: UInt64?) { #expect(byteSize(text) == bytes) }

  @Test(
    "a signal is read by its name, its number or its offset from a real-time signal",
    arguments: [
      ("SIGTERM", .number(15)), ("TERM", .number(15)), ("15", .number(15)), ("SIGRTMIN+3", .realtime(3)),
      ("RTMIN+3", .realtime(3)), ("SIGRTMIN", .realtime(0)), ("SIGRTMAX", .realtime(30)), ("RTMAX-2", .realtime(28)),
      ("SIGIOT", .number(6)), ("0", nil), ("99", nil), ("SIG15", nil), ("sigterm", nil), ("SIGRTMIN+31", nil),
      ("SIGRTMIN-1", nil), ("SIG", nil), ("", nil),
    ] as [(String, Signal?)])
  func signals(text: String, signal: Signal?) { #expect(Signal(text) == signal) }

  @Test("the printed name of every signal is read as the same signal")
  func signalNames() {
    for signal in (1...31).map(Signal.number) + (0...30).map(Signal.realtime) {
      #expect(Signal(signal.description) == signal)
    }
    #expect(Signal.realtime(3).description == "SIGRTMIN+3")
    #expect(Signal.sigterm.description == "SIGTERM")
  }

  @Test(
    "specifiers are replaced, and an unknown one is an error",
    arguments: [
      ("%n-%N-%p", "web-web-web"), ("%y", "/c/web.guest"), ("%Y/units", "/c/units"), ("100%%", "100%"),
      ("%t/x", "/run/x"),
      ("%H", "box"), ("%b", nil), ("%i", nil), ("%", nil), ("%\u{301}", nil), ("%%n", "%n"),
    ] as [(String, String?)])
  func specifiers(text: String, expanded: String?) {
    let specifiers = Specifiers(fragmentPath: "/c/web.guest", host: ["H": "box"])
    #expect((try? specifiers.expand(text, guestName: "web")) == expanded)
  }

  @Test(
    "a bind mount is read as systemd-nspawn reads it",
    arguments: [
      ("/a", bind("/a", "/a")), ("/a:/b", bind("/a", "/b")), ("/a:/b:norbind", bind("/a", "/b", recursive: false)),
      ("/a:/b:rbind,noidmap", bind("/a", "/b")), ("-/a:/b", bind("/a", "/b", optional: true)), (":/b", bind("", "/b")),
      ("/a\\:x:/b", bind("/a:x", "/b")), ("//a/./:/b/", bind("/a", "/b")), ("%Y/u:/b", bind("/c/u", "/b")),
      ("/:/host", bind("/", "/host")), ("", nil), ("a", nil), ("/a:b", nil), ("/a:/b:x", nil),
      ("/a:/b:idmap", bind("/a", "/b", .idmap)),
      ("/a:/b:norbind,rootidmap", bind("/a", "/b", recursive: false, .rootidmap)),
      ("/a:/b:idmap,owneridmap", bind("/a", "/b", .owneridmap)),
      ("/a:/b:norbind:x", nil), ("/a/../b", nil), ("/a:/", nil), ("-:/b", nil), ("/a:/%q", nil),
      ("+/a:/b", .bindOwn(source: "/a", destination: "/b", readOnly: false, recursive: true, optional: false)),
      (":", nil),
    ] as [(String, CustomMount?)])
  func binds(text: String, mount: CustomMount?) {
    #expect((try? parse(Value<CustomMount>.bind(readOnly: false), text)) == mount)
  }

  private static func bind(
    _ source: String, _ destination: String, recursive: Bool = true, optional: Bool = false,
    _ owners: BindOwners = .noidmap
  ) -> CustomMount {
    .bind(
      source: source, destination: destination, readOnly: false, recursive: recursive, optional: optional,
      owners: owners)
  }

  @Test("a tmpfs has the mode 0755 unless options are given")
  func temporaryFileSystems() throws {
    let value = Value<CustomMount>.temporaryFileSystem
    #expect(try parse(value, "/x") == .temporaryFileSystem(path: "/x", options: "mode=0755"))
    #expect(try parse(value, "/x:size=1M,mode=1777") == .temporaryFileSystem(path: "/x", options: "size=1M,mode=1777"))
    #expect(throws: WrongValue.self) { try parse(value, "/x:a b") }
  }

  @Test("a machine ID may be written as a UUID, and zero is refused")
  func machineIDs() throws {
    let digits = "0123456789abcdef0123456789abcdef"
    #expect(try parse(Value<String>.machineID, "01234567-89AB-cdef-0123-456789abcdef") == digits)
    for wrong in [
      String(repeating: "0", count: 32), digits + "0", "0123-4567", "g" + digits.dropFirst(), "--" + digits,
    ] {
      #expect(throws: WrongValue.self) { try parse(Value<String>.machineID, wrong) }
    }
  }

  @Test("a host name is a guest name", arguments: ["web", "Web-1", "a.b", String(repeating: "x", count: 64)])
  func names(name: String) { #expect(Guest.isValid(name: name)) }

  @Test(
    "a text that is not a host name is not a guest name",
    arguments: [
      "", ".web", "web.", "a..b", "-web", "web-", "a_b", "a/b", "ä", "a b", String(repeating: "x", count: 65),
    ])
  func wrongNames(name: String) { #expect(!Guest.isValid(name: name)) }

  @Test("Environment= refuses variables that Dormouse sets itself, and keeps equals signs in values")
  func environment() throws {
    let variables = try parse(Value<[EnvironmentVariable]>.environment, "A=b=c \"B=x y\" H=%H")
    #expect(variables == [.init("A", "b=c"), .init("B", "x y"), .init("H", "box")])
    for wrong in ["LISTEN_FDS=1", "A", "=x", "A=\\x01", "a-b=1"] {
      #expect(throws: WrongValue.self) { try parse(Value<[EnvironmentVariable]>.environment, wrong) }
    }
  }
}
