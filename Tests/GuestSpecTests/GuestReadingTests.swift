import Testing
import UnitSyntax

@testable import GuestSpec

@Suite("A guest from its files")
struct GuestReadingTests {
  @Test("every section of a guest file is read into the guest that it describes")
  func wholeFile() {
    let reading = read(
      guest: """
        [Exec]
        Parameters=--log-level=info "a b"
        Environment=A=1
        Environment=B=%H
        Hostname=inside
        KillSignal=SIGTERM
        NotifyReady=no
        [Files]
        Volatile=yes
        BindReadOnly=%Y/units:/etc/systemd/system
        TemporaryFileSystem=/x
        Inaccessible=/y
        [Network]
        Private=yes
        [Socket]
        ListenStream=8080
        ListenDatagram=127.0.0.1:53
        FileDescriptorName=http
        Backlog=16
        [Socket]
        ListenSequentialPacket=/run/web.sock
        SocketMode=0600
        SocketUser=www-data
        KeepAliveTimeSec=1min
        [Guest]
        Directory=/
        IdleStopSec=infinity
        TimeoutStopSec=5s
        """)
    #expect(reading.diagnostics.isEmpty)
    let guest = reading.guest
    #expect(guest.name == "web")
    #expect(guest.exec.parameters == ["--log-level=info", "a b"])
    #expect(guest.exec.environment == [.init("A", "1"), .init("B", "box")])
    #expect(guest.exec.hostname == "inside")
    #expect(guest.exec.effectiveKillSignal(.systemd) == .sigterm)
    #expect(!guest.exec.waitsForReady(.systemd))
    #expect(guest.files.volatile == .yes)
    #expect(
      guest.files.mounts == [
        .bind(
          source: "/etc/dormouse/units", destination: "/etc/systemd/system", readOnly: true, recursive: true,
          optional: false),
        .temporaryFileSystem(path: "/x", options: "mode=0755"), .inaccessible(path: "/y"),
      ])
    #expect(guest.network.isPrivate)
    #expect(
      guest.sockets.map { $0.listen.map(\.description) } == [
        ["[::]:8080 (Stream)", "127.0.0.1:53 (Datagram)"], ["/run/web.sock (SequentialPacket)"],
      ])
    #expect(guest.sockets.map(\.fileDescriptorName) == ["http", nil])
    #expect(guest.sockets.map(\.backlog) == [16, .max])
    #expect(guest.sockets.last?.keepAlive.time == .seconds(60))
    #expect(guest.policy.directory == "/")
    #expect(guest.policy.idleStop == nil)
    #expect(guest.policy.timeoutStop == .seconds(5))
    #expect(guest.policy.timeoutStart == .seconds(90))
    #expect(reading.listeners.map(\.line) == [16, 17, 21])
  }

  @Test("an empty file is a guest with all defaults")
  func emptyFile() {
    let reading = read(guest: "")
    #expect(reading.diagnostics.isEmpty)
    #expect(reading.guest == Guest(name: "web"))
  }

  @Test("every problem of a guest file is reported at once, and the rest of it is read")
  func everyProblem() {
    let reading = read(
      guest: """
        [Exec]
        Boot=maybe
        KilSignal=SIGTERM
        Hostname=ok
        Environment=A=\\q
        IdleStopSec=5
        [Fils]
        ReadOnly=yes
        [Socket]
        ListenStream=1.2.3:80
        X-Mine=1
        [Guest]
        IdleStopSec=5s
        Directory=srv
        [X-Other]
        K=v
        """)
    #expect(
      reading.diagnostics.map(\.description) == [
        "web.guest:2: Boot=maybe: not a boolean; write yes or no",
        "web.guest:3: warning: unknown setting KilSignal= in [Exec]; did you mean KillSignal=?",
        "web.guest:5: warning: Environment=: \\q is not an escape and is kept unchanged; "
          + "write \\\\ for a backslash",
        "web.guest:6: warning: unknown setting IdleStopSec= in [Exec]; it belongs in [Guest]",
        "web.guest:7: warning: unknown section [Fils], which has no effect; did you mean [Files]?",
        "web.guest:10: ListenStream=1.2.3:80: \"1.2.3\" is not an IPv4 address; "
          + "write four numbers, as names are not resolved",
        "web.guest:14: Directory=srv: \"srv\" is not an absolute path; begin it with '/'",
      ])
    #expect(reading.hasErrors)
    #expect(reading.guest.exec.hostname == "ok")
    #expect(reading.guest.policy.idleStop == .seconds(5))
    #expect(reading.guest.sockets.isEmpty)
  }

  @Test("a file of 200,000 errors is a guest with errors, of which a hundred are reported")
  func hopeless() {
    let reading = read(guest: "[Exec]\n" + String(repeating: "Bot=yes\n", count: 200_000))
    #expect(reading.diagnostics.count == UnitFile.diagnosticLimit + 1)
    #expect(reading.hasErrors)
  }

  @Test("a later file adds to lists and replaces values, and an empty assignment resets")
  func precedence() {
    let reading = read(
      guest: "[Exec]\nParameters=b\nHostname=two\n[Files]\nBind=/b\n",
      nspawn: "[Exec]\nParameters=a\nHostname=one\nKillSignal=HUP\n[Files]\nBind=/a\nInaccessible=/x\n",
      dropIns: ["[Exec]\nParameters=c\nHostname=\n[Files]\nBindReadOnly=\nBind=/c\n"])
    #expect(reading.diagnostics.isEmpty)
    #expect(reading.guest.exec.parameters == ["a", "b", "c"])
    #expect(reading.guest.exec.hostname == nil)
    #expect(reading.guest.exec.killSignal == .number(1))
    #expect(reading.guest.files.mounts.count == 2)
    #expect(reading.guest.files.mounts.first == .inaccessible(path: "/x"))
  }

  @Test("a .nspawn file has neither specifiers nor the sections [Socket] and [Guest]")
  func nspawn() {
    let reading = read(
      guest: "", nspawn: "[Exec]\nEnvironment=A=50%\n[Socket]\nListenStream=80\n[Guest]\nDirectory=/x\n")
    #expect(reading.guest.exec.environment == [.init("A", "50%")])
    #expect(reading.guest.sockets.isEmpty)
    #expect(
      reading.diagnostics.map(\.description) == [
        "web.nspawn:3: warning: [Socket] belongs in a .guest file and has no effect here",
        "web.nspawn:5: warning: [Guest] belongs in a .guest file and has no effect here",
      ])
  }

  @Test("a [Socket] of a drop-in is a new group, and an empty ListenStream= in it removes the addresses of all groups")
  func socketDropIns() {
    let base = "[Socket]\nListenStream=80\n[Socket]\nListenStream=81\nBacklog=5\n"
    let added = read(guest: base, dropIns: ["[Socket]\nListenStream=82\nBacklog=6\n"])
    #expect(added.diagnostics.isEmpty)
    #expect(added.guest.sockets.map(\.backlog) == [.max, 5, 6])
    #expect(added.listeners.map(\.listen.address.description) == ["[::]:80", "[::]:81", "[::]:82"])
    #expect(added.listeners.last?.file == "web.guest.d/0.conf")

    let replaced = read(guest: base, dropIns: ["[Socket]\nListenStream=\nListenStream=80\n", "[Exec]\nBoot=yes\n"])
    #expect(replaced.diagnostics.isEmpty)
    #expect(replaced.listeners.map(\.listen.address.description) == ["[::]:80"])
    #expect(replaced.listeners.map(\.line) == [3])
    #expect(replaced.guest.sockets.count == 1)
  }

  @Test("an empty ListenStream= in the guest file removes only the addresses of its own group")
  func socketReset() {
    let reading = read(guest: "[Socket]\nListenStream=80\n[Socket]\nListenDatagram=1\nListenStream=\nListenStream=2\n")
    #expect(reading.listeners.map(\.listen.description) == ["[::]:80 (Stream)", "[::]:2 (Stream)"])
    #expect(reading.listeners.map(\.line) == [2, 6])
  }

  @Test(
    "an error that several settings together show is reported at the line that causes it",
    arguments: [
      (
        "[Exec]\nProcessTwo=yes\n",
        "web.guest:2: ProcessTwo=yes needs a command line to run; write it as Parameters="
      ),
      (
        "[Exec]\nBoot=yes\nProcessTwo=yes\n",
        "web.guest:3: ProcessTwo=yes cannot be combined with Boot=yes: an init must be process 1; remove one of them"
      ),
      (
        "[Exec]\nProcessTwo=yes\nParameters=x\nKillSignal=SIGTERM\n",
        "web.guest:4: warning: the init of ProcessTwo=yes ignores KillSignal=SIGTERM; remove it, "
          + "and the program is stopped with SIGTERM"
      ),
      ("[Exec]\nBoot=no\n", "web.guest:2: Boot=no needs a command line to run; write it as Parameters="),
      (
        "[Socket]\nBacklog=5\n",
        "web.guest:1: warning: this [Socket] has no ListenStream= or other address and has no effect"
      ),
      (
        "[Guest]\nDirectory=/\n",
        "web.guest:2: Directory=/ would share the host's root with the guest; add Volatile=yes to [Files], "
          + "or set another directory"
      ),
      (
        "[Guest]\nIdleStop=5min\n",
        "web.guest:2: warning: unknown setting IdleStop= in [Guest]; did you mean IdleStopSec=?"
      ),
      (
        "[Guest]\nIdleFreezeSec=10min\n",
        "web.guest:2: warning: IdleFreezeSec=: the guest is stopped before it is frozen, because IdleStopSec= is not longer "
          + "(its default is 10min); write a longer IdleStopSec=, or infinity"
      ),
      (
        "[Guest]\nIdleFreezeSec=10min\nIdleStopSec=5min\n",
        "web.guest:2: warning: IdleFreezeSec=: the guest is stopped before it is frozen, because IdleStopSec= is not longer; "
          + "write a longer IdleStopSec=, or infinity"
      ),
      (
        "[Socket]\nListenStream=[fe80::1]:80\n",
        "web.guest:2: ListenStream=[fe80::1]:80: an address of one link needs the interface; "
          + "write ListenStream=[fe80::1]:80%INTERFACE"
      ),
    ])
  func whole(text: String, message: String) {
    #expect(read(guest: text).diagnostics.map(\.description) == [message])
  }

  @Test("a file whose name is not a guest name is an error")
  func wrongName() {
    let file = UnitFile(path: "-x.guest", bytes: [])
    let reading = Guest.read(name: "-x", from: [file], specifiers: Specifiers(fragmentPath: "/-x.guest"))
    #expect(reading.diagnostics.count == 1)
    #expect(reading.hasErrors)
  }

  @Test("the reader does not trap at any prefix of a guest file")
  func prefixes() {
    let text = """
      [Exec]
      Parameters="a b" 'c' \\x41 %H
      [Files]
      Bind=-/a\\:b:/c:norbind
      [Socket]
      ListenStream=[fe80::1]:80%eth0
      ListenStream=[::ffff:1.2.3.4]:80
      ListenDatagram=@ä
      SocketMode=0660
      SendBuffer=1.5M
      [Guest]
      IdleStopSec=1h 30min 2.5s
      MachineID=01234567-89AB-cdef-0123-456789abcdef
      """
    for end in 0...text.unicodeScalars.count { _ = read(guest: String(text.unicodeScalars.prefix(end))) }
  }
}
