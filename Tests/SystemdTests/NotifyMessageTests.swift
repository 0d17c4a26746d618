import Testing

@testable import Systemd

@Suite struct NotifyMessageTests {
  @Test("a message that systemd sends as PID 1 of a container is read")
  func realMessages() throws {
    let ready = try message("READY=1\nSTATUS=Ready.")
    #expect(ready.isReady && ready.status == "Ready.")
    let reload = try message("RELOADING=1\nMONOTONIC_USEC=4711\nSTATUS=Reloading configuration...")
    #expect(reload.isReloading && !reload.isReady)
    #expect(try message("X_SYSTEMD_SIGNALS_LEVEL=2").signalsLevel == 2)
    #expect(try message("X_SYSTEMD_UNIT_ACTIVE=sockets.target").activeUnits == ["sockets.target"])
    #expect(try message("X_SYSTEMD_UNIT_INACTIVE=basic.target").inactiveUnits == ["basic.target"])
    #expect(try message("X_SYSTEMD_HOSTNAME=web").hostname == "web")
    let id = "8d3f2f3c0b0e4f3f9b7e6a5d4c3b2a19"
    #expect(try message("X_SYSTEMD_MACHINE_ID=\(id)").machineID?.description == id)
    let end = try message("X_SYSTEMD_SHUTDOWN=reboot\nEXIT_STATUS=7\nX_SYSTEMD_REBOOT_PARAMETER=firmware")
    #expect(end.shutdown == .reboot && end.exitStatus == 7 && end.rebootParameter == "firmware")
    #expect(try message("ERRNO=12").errno == 12)
    #expect(try message("STOPPING=1").isStopping)
  }

  @Test("every value of X_SYSTEMD_SHUTDOWN is known", arguments: ["reboot", "halt", "poweroff", "kexec", "exit"])
  func shutdowns(word: String) throws {
    #expect(try message("X_SYSTEMD_SHUTDOWN=\(word)").shutdown?.rawValue == word)
  }

  @Test("unknown keys, invalid values and lines without = in a message are ignored")
  func senseless() throws {
    let nothing = try message("")
    for text in [
      "FDSTORE=1", "READY", "READY=0", "READY=2", "ready=1", " READY=1", "=1", "=", "\n\n", "EXIT_STATUS=256",
      "EXIT_STATUS=-1", "EXIT_STATUS=+1", "EXIT_STATUS=", "ERRNO=0", "ERRNO=4096", "ERRNO=99999999999999999999",
      "X_SYSTEMD_SIGNALS_LEVEL=two", "X_SYSTEMD_SHUTDOWN=soft", "X_SYSTEMD_MACHINE_ID=1234",
      "X_SYSTEMD_MACHINE_ID=00000000000000000000000000000000", "\u{0}READY=1",
    ] {
      #expect(try message(text) == nothing, "\(text)")
    }
  }

  @Test("the first of two equal keys in a message counts, and units add up")
  func repeated() throws {
    let twice = try message("STATUS=a\nSTATUS=b\nEXIT_STATUS=x\nEXIT_STATUS=3\nREADY=1\nREADY=0\nREADY=1")
    #expect(twice.status == "a" && twice.exitStatus == 3 && twice.isReady)
    let units = try message("X_SYSTEMD_UNIT_ACTIVE=a.target\nX_SYSTEMD_UNIT_ACTIVE=b.target")
    #expect(units.activeUnits == ["a.target", "b.target"])
  }

  @Test("a value in a message may have =, spaces and any script")
  func plainValues() throws {
    #expect(try message("STATUS=a=b ö 日本 ").status == "a=b ö 日本 ")
    #expect(try message("STATUS=").status == "")
  }

  @Test("a value in a message cannot control a terminal, whatever its bytes")
  func harmless() throws {
    #expect(try message("STATUS=\u{1B}[2Jx\r\u{7}\u{9B}1m").status == "\u{FFFD}[2Jx\u{FFFD}\u{FFFD}\u{FFFD}1m")
    #expect(try message("STATUS=a\u{202E}b\u{2028}c").status == "a\u{FFFD}b\u{FFFD}c")
    #expect(NotifyMessage(Array("STATUS=".utf8) + [0xFF, 0x00, 0xC3])?.status == "\u{FFFD}\u{FFFD}\u{FFFD}")
  }

  @Test("a datagram that is longer than the limit is not read as a message, and one of exactly that length is")
  func limit() throws {
    let filler = String(repeating: "x", count: NotifyMessage.limit - "STATUS=".utf8.count)
    #expect(try message("STATUS=\(filler)").status == filler)
    #expect(NotifyMessage(Array("STATUS=\(filler)x".utf8)) == nil)
  }

  @Test("a name in a message that is too long for a unit or a host is ignored")
  func longNames() throws {
    let unit = String(repeating: "u", count: 255)
    let long = try message(
      "X_SYSTEMD_UNIT_ACTIVE=\(unit)\nX_SYSTEMD_UNIT_ACTIVE=\(unit)u\nX_SYSTEMD_UNIT_INACTIVE=\(unit)u")
    #expect(long.activeUnits == [unit] && long.inactiveUnits == [])
    let host = String(repeating: "h", count: 64)
    #expect(try message("X_SYSTEMD_HOSTNAME=\(host)").hostname == host)
    #expect(try message("X_SYSTEMD_HOSTNAME=\(host)h").hostname == nil)
  }

  @Test("every prefix of a message is a message")
  func prefixes() {
    let whole = Array("READY=1\nSTATUS=日本\u{1B}\nEXIT_STATUS=255\nERRNO=5\nX_SYSTEMD_SHUTDOWN=exit\n".utf8)
    for end in 0...whole.count { #expect(NotifyMessage(Array(whole[..<end])) != nil) }
  }

  private func message(_ text: String) throws -> NotifyMessage { try #require(NotifyMessage(Array(text.utf8))) }
}
