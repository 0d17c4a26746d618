import Testing
import UnitSyntax

@testable import GuestSpec

@Suite("What systemd in the guest makes of the sockets")
struct SocketAgreementTests {
  private func unit(_ name: String, _ text: String) -> SocketUnit {
    let path = "web:/etc/systemd/system/\(name)"
    return SocketUnit(name: name, files: [UnitFile(path: path, bytes: Array(("[Socket]\n" + text).utf8))])
  }

  private func agreement(_ guest: String, _ units: SocketUnit...) -> SocketAgreement {
    let reading = read(guest: "[Socket]\n" + guest)
    return SocketAgreement(guest: reading.guest, listeners: reading.listeners, units: units)
  }

  @Test(
    "a listener is claimed by the unit with the same address",
    arguments: [
      ("ListenStream=80", "ListenStream=[::]:80"), ("ListenStream=0.0.0.0:80", "ListenStream=0.0.0.0:80"),
      ("ListenStream=[fe80::1]:80%eth0", "ListenStream=[fe80::1]:80"), ("ListenDatagram=53", "ListenDatagram=53"),
      ("ListenStream=/run/h.sock", "ListenStream=%t//%p.sock"), ("ListenStream=@h", "ListenStream=@%N"),
      ("ListenSequentialPacket=/run/h", "ListenSequentialPacket=/run/h"),
    ])
  func taken(guest: String, unit text: String) {
    let result = agreement(guest, unit("h.socket", text))
    #expect(result.claims.map(\.unit) == ["h.socket"])
    #expect(result.disagreements.isEmpty)
  }

  @Test("a port below 1024 that root of a user namespace cannot bind in the host's network produces a warning")
  func unbindable() {
    func warnings(_ settings: String, _ address: String = "ListenStream=143") -> [String] {
      agreement(
        "ListenStream=80\n" + settings, unit("h.socket", "ListenStream=80"), unit("imap.socket", address)
      ).disagreements.map(\.message)
    }
    #expect(
      warnings("") == [
        "ListenStream=[::]:143: root of a guest with a user namespace cannot bind a port below 1024 of the host's network; "
          + "add it to [Socket] of the guest file, or write Private=yes"
      ])
    #expect(warnings("", "ListenStream=1143") == [])
    #expect(warnings("", "ListenStream=/run/imap") == [])
    #expect(warnings("[Network]\nPrivate=yes") == [])
    #expect(warnings("[Exec]\nPrivateUsers=no") == [])
  }

  @Test(
    "a listener that no unit has produces a warning with the address that was probably meant",
    arguments: [
      (
        "ListenStream=0.0.0.0:80", "ListenStream=80",
        "h.socket has ListenStream=[::]:80, which is the same port of the other version of IP; write ListenStream=[::]:80 in the guest file, "
          + "or ListenStream=0.0.0.0:80 in h.socket"
      ),
      (
        "ListenStream=80", "ListenDatagram=80",
        "h.socket has ListenDatagram=[::]:80, which is a socket of another kind; "
          + "write ListenDatagram=[::]:80 in the guest file, or ListenStream=[::]:80 in h.socket"
      ),
      (
        "ListenStream=80", "ListenStream=8080",
        "h.socket has ListenStream=[::]:8080, which is another port; write ListenStream=[::]:8080 in the guest file, "
          + "or ListenStream=[::]:80 in h.socket"
      ),
      (
        "ListenStream=/srv/web/run/h.sock", "ListenStream=/run/h.sock",
        "h.socket has ListenStream=/run/h.sock, but the paths must be the same; "
          + "write ListenStream=/run/h.sock in the guest file, or ListenStream=/srv/web/run/h.sock in h.socket"
      ),
      (
        "ListenStream=/h", "ListenStream=@h",
        "h.socket has ListenStream=@h, but one is a path and one an abstract name; "
          + "write ListenStream=@h in the guest file, or ListenStream=/h in h.socket"
      ),
      ("ListenStream=80", "ListenStream=/run/h.sock", "enable a unit with ListenStream=[::]:80 in the guest"),
      (
        "ListenStream=127.0.0.1:80", "ListenStream=127.0.0.2:81",
        "enable a unit with ListenStream=127.0.0.1:80 in the guest"
      ),
    ])
  func unclaimed(guest: String, unit text: String, remedy: String) {
    let result = agreement(guest, unit("h.socket", text))
    #expect(result.claims.map(\.unit) == [nil])
    #expect(result.disagreements.count == 1)
    let message = result.disagreements.first?.description ?? ""
    #expect(message.hasPrefix("web.guest:2: warning: \(guest.replacing80): no enabled .socket unit in the guest has"))
    #expect(message.hasSuffix("so systemd in the guest closes the socket; " + remedy))
  }

  @Test("a listener of a guest without socket units produces a warning")
  func noUnits() { #expect(agreement("ListenStream=80").disagreements.count == 1) }

  @Test("a unit that gets only some of its addresses produces a warning for each of the others")
  func partial() {
    let result = agreement(
      "ListenStream=80", unit("h.socket", "ListenStream=80\nListenStream=443\nListenFIFO=/run/f"),
      unit("other.socket", "ListenStream=/run/other"))
    #expect(
      result.disagreements.map(\.description) == [
        "web:/etc/systemd/system/h.socket:3: warning: ListenStream=[::]:443: h.socket gets sockets for its other addresses, "
          + "so systemd never opens this one; add it to [Socket] of the guest file",
        "web:/etc/systemd/system/h.socket: warning: ListenFIFO=/run/f: h.socket gets sockets for its other addresses, "
          + "so systemd never opens this one; move it to another unit, as it cannot be passed",
      ])
  }

  @Test("two units with one address produce a warning")
  func contested() {
    let result = agreement("ListenStream=80", unit("a.socket", "ListenStream=80"), unit("b.socket", "ListenStream=80"))
    #expect(
      result.disagreements.map(\.description) == [
        "web:/etc/systemd/system/b.socket:2: warning: ListenStream=[::]:80: a.socket has this address too, "
          + "and it is undefined which of them gets the socket; disable one of them"
      ])
  }

  @Test("an option that only the unit sets produces a warning if it applies to the address")
  func options() {
    let text = "ListenStream=80\nNoDelay=yes\nBacklog=5\nBindIPv6Only=ipv6-only\nSocketMode=0600\nFreeBind=yes"
    let result = agreement("ListenStream=80\nBacklog=5", unit("h.socket", text))
    #expect(
      result.disagreements.map(\.description) == [
        "web.guest:2: warning: ListenStream=[::]:80: BindIPv6Only= NoDelay= of h.socket "
          + "has no effect on a passed socket; set it in [Socket] of the guest file"
      ])
    #expect(agreement("ListenStream=80\nNoDelay=yes", unit("h.socket", "ListenStream=80")).disagreements.isEmpty)
  }

  @Test(
    "a unit is read as systemd reads it: drop-ins reset lists, and invalid lines and unknown specifiers are ignored")
  func units() {
    let files = [
      "[Socket]\nListenStream=1\nListenStream=nonsense\nBacklog=x\n[Install]\nListenStream=9\n",
      "[Socket]\nListenStream=\nListenStream=/run/%i\nListenStream=/run/%m\nListenStream=[fe80::1]:2%eth0\nListenStream=[fe80::1]:2%%eth0\n",
    ]
    let unit = SocketUnit(
      name: "h@a.socket", files: files.map { UnitFile(path: "h@.socket", bytes: Array($0.utf8)) })
    #expect(unit.addresses.map(\.listen.asWritten) == ["ListenStream=/run/a", "ListenStream=[fe80::1]:2%eth0"])
    #expect(unit.addresses.map(\.line) == [3, 6])
    #expect(unit.options == SocketGroup())
  }
}

extension String {
  /// The address in the spelling of messages.
  fileprivate var replacing80: String { self == "ListenStream=80" ? "ListenStream=[::]:80" : self }
}
