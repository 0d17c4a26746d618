import Testing
import UnitSyntax

@testable import GuestSpec

@Suite("Listeners in each other's way")
struct SocketConflictTests {
  @Test(
    "two listeners of one guest produce an error or a warning where bind(2) would refuse the second",
    arguments: [
      ("ListenStream=80", "ListenStream=[::]:80", .error),
      ("ListenStream=1.2.3.4:80", "ListenStream=1.2.3.4:80", .error),
      ("ListenDatagram=80", "ListenDatagram=80", .error), ("ListenStream=/x", "ListenDatagram=/x", .error),
      ("ListenStream=0.0.0.0:80", "ListenStream=127.0.0.1:80", .error),
      ("ListenStream=80", "ListenStream=[::1]:80", .error),
      ("ListenStream=80", "ListenStream=0.0.0.0:80", .warning),
      ("ListenStream=127.0.0.1:80", "ListenStream=80", .warning),
      ("ListenStream=80\nBindIPv6Only=both", "ListenStream=0.0.0.0:80", .error),
      ("ListenStream=80\nBindIPv6Only=ipv6-only", "ListenStream=0.0.0.0:80", nil),
      ("ListenStream=80\nReusePort=yes", "ListenStream=0.0.0.0:80\nReusePort=yes", nil),
      ("ListenStream=80", "ListenStream=81", nil), ("ListenStream=80", "ListenDatagram=80", nil),
      ("ListenDatagram=0.0.0.0:80", "ListenDatagram=127.0.0.1:80", nil), ("ListenStream=@x", "ListenDatagram=@x", nil),
      ("ListenStream=[fe80::1]:80%a", "ListenStream=[fe80::1]:80%b", nil),
      ("ListenStream=127.0.0.1:80", "ListenStream=127.0.0.2:80", nil), ("ListenStream=/x", "ListenStream=@/x", nil),
    ] as [(String, String, Diagnostic.Severity?)])
  func pairs(first: String, second: String, severity: Diagnostic.Severity?) {
    let reading = read(guest: "[Socket]\n\(first)\n[Socket]\n\(second)\n")
    #expect(reading.diagnostics.map(\.severity) == (severity.map { [$0] } ?? []))
  }

  @Test("of several earlier listeners the one with the same address is named, or else the first that overlaps")
  func several() {
    func places(_ lines: String...) -> [String] {
      read(guest: "[Socket]\n" + lines.map { $0 + "\n" }.joined()).diagnostics.filter { $0.severity == .error }.map {
        $0.message.contains("line 2") ? "2" : $0.message.contains("line 3") ? "3" : "?"
      }
    }
    #expect(places("ListenStream=127.0.0.1:80", "ListenStream=127.0.0.2:80", "ListenStream=0.0.0.0:80") == ["2"])
    #expect(
      places("ListenStream=81", "ListenStream=[::1]:80", "ListenStream=80", "ListenStream=[::1]:80") == ["3", "3"])
    #expect(places("ListenStream=/x", "ListenStream=/y", "ListenDatagram=/y", "ListenDatagram=/x") == ["3", "2"])
  }

  @Test("the message for two conflicting listeners names both lines and both addresses")
  func message() {
    let same = read(guest: "[Socket]\nListenStream=80\n[Socket]\nListenStream=[::]:80\n")
    #expect(
      same.diagnostics.map(\.description) == [
        "web.guest:4: ListenStream=[::]:80: line 2 listens on this address already; remove one of them"
      ])
    let different = read(guest: "[Socket]\nListenStream=80\n", dropIns: ["[Socket]\nListenStream=0.0.0.0:80\n"])
    #expect(
      different.diagnostics.map(\.description) == [
        "web.guest.d/0.conf:2: warning: ListenStream=0.0.0.0:80: web.guest:2 listens on [::]:80, which conflicts with this address; "
          + "remove one of them, or set BindIPv6Only=ipv6-only or ReusePort=yes where they fit"
      ])
  }

  @Test(
    "a socket that Port= bypasses produces a warning",
    arguments: [
      ("Port=80:8080", "ListenStream=80", "ListenStream=[::]:80: Port=tcp:80:8080"),
      ("Port=udp:53", "ListenDatagram=127.0.0.1:53", "ListenDatagram=127.0.0.1:53: Port=udp:53:53"),
      ("Port=8080:80", "ListenStream=80", nil), ("Port=udp:80", "ListenStream=80", nil),
      ("Port=80", "ListenStream=/80", nil), ("Port=80", "ListenSequentialPacket=/80", nil),
    ])
  func bypassed(port: String, listen: String, start: String?) {
    let reading = read(guest: "[Network]\nVirtualEthernet=yes\n\(port)\n[Socket]\n\(listen)\n")
    let message =
      " bypasses this socket while the guest runs, so clients do not keep the guest awake; remove one of them"
    #expect(reading.diagnostics.map(\.description) == (start.map { ["web.guest:5: warning: \($0)\(message)"] } ?? []))
  }

  @Test("of two guests with one address the later gets an error that names the earlier")
  func guests() {
    var group = SocketGroup()
    group.listen = [Listen(.stream, .path("/run/x"))]
    let one = PlacedListener(group.listen[0], in: group, file: "a.guest", line: 3)
    let two = PlacedListener(group.listen[0], in: group, file: "b.guest", line: 5)
    let found = conflicts(between: [("a", [one]), ("b", [two]), ("c", [])])
    #expect(
      found.mapValues { $0.map(\.description) } == [
        "b": [
          "b.guest:5: ListenStream=/run/x: the guest a (a.guest:3) listens on this address already; "
            + "remove one of them"
        ]
      ])
  }
}
