import ControlProtocol
import Testing

@testable import dormouse

@Suite("What the verbs show")
struct TextTests {
  private let now = Timestamp(microseconds: 1_800_000_192_000_000)
  private let then = Timestamp(microseconds: 1_800_000_000_000_000)

  @Test("a table aligns its columns, numbers to the right, and leaves no spaces at the ends of lines")
  func table() {
    var table = Table(["NAME", "N", "X"], right: [1])
    table.add(["a", "1", ""])
    table.add(["longer", "1234", "x\ny"])
    #expect(table.text == "NAME       N  X\na          1\nlonger  1234  x y\n")
  }

  @Test("the status shows for each socket whether the guest adopted it, and how the last wake went")
  func status() {
    var status = GuestStatus(name: "web", state: .active, since: then)
    var socket = SocketStatus(address: "[::]:80", kind: .stream, name: "http")
    socket.adopted = false
    socket.unserved = UnservedSocket(reason: .noService, text: "web.socket has no web.service")
    status.report = GuestReport()
    status.report?.failedUnits = [
      FailedUnit(unit: "web.service", result: "exit-code", status: 1, log: "no \u{1B}[2Jdatabase")
    ]
    status.sockets = [socket]
    var wake = WakeReport(cause: .connection, at: then)
    wake.socket = "[::]:80"
    wake.startedMs = 2.5
    wake.readyMs = 411
    status.lastWake = wake
    status.messages = [GuestMessage(at: then, level: .warning, text: "[::]:80 is not enabled in the guest")]
    status.counters.lost = [LossCount(reason: .notUnparked, count: 3)]
    status.counters[.undrained] = 2
    status.limits = [
      LimitStatus(setting: "MemoryMax", value: "4096", isDefault: false),
      LimitStatus(setting: "TasksMax", value: "max", isDefault: true),
    ]
    let text = StatusText(status, now: now).text
    #expect(text.contains("  Limits: MemoryMax=4096, TasksMax=max (default)\n"))
    #expect(text.contains("2 not drained before a stop"))
    #expect(text.contains("3 lost (could not be unparked)"))
    #expect(text.contains("  Socket: [::]:80 stream \"http\", not served, web.socket has no web.service\n"))
    #expect(text.contains("Failed unit: web.service has failed (exit-code): \"no database\"\n"))
    #expect(text.contains("3min 12s ago, by a connection to [::]:80: started after 2.5 ms, ready after 411 ms\n"))
    #expect(text.contains(" Warning: [::]:80 is not enabled in the guest (3min 12s ago)\n"))
    #expect(!text.contains("PID"))
  }

  @Test("the status does not call a guest unready that is active without having notified")
  func activeWithoutNotification() {
    var status = GuestStatus(name: "web", state: .active, since: then)
    status.report = GuestReport()
    #expect(!StatusText(status, now: now).text.contains("Ready"))
    status.report?.ready = true
    #expect(StatusText(status, now: now).text.contains(" Ready: yes\n"))
    var asleep = GuestStatus(name: "web", state: .inactive, since: then)
    asleep.report = status.report
    #expect(StatusText(asleep, now: now).text.contains("Last Ready: yes\n"))
  }

  @Test("the status shows the progress of the boot, without control characters from the guest")
  func boot() {
    var status = GuestStatus(name: "web", state: .activating, since: then)
    var report = GuestReport()
    report.status = "User job web.service/start running (8s / 1min 30s)...\u{1B}[2J\nmore"
    report.reaching = "web.service"
    report.hostname = "burrow\u{7}"
    report.machineID = String(repeating: "a", count: 32)
    report.units = ["sysinit.target", "basic.target"]
    report.sshAddress = "unix/run/dormouse/unix-export/web/ssh"
    status.report = report
    let text = StatusText(status, now: now).text
    #expect(text.contains("Status: User job web.service/start running (8s / 1min 30s)... more\n"))
    #expect(text.contains("Ready: not yet\n"))
    #expect(text.contains("Reaching: web.service\n"))
    #expect(text.contains("SSH: ssh unix/run/dormouse/unix-export/web/ssh\n"))
    #expect(text.contains("Hostname: burrow\n"))
    #expect(text.contains("Machine ID: \(String(repeating: "a", count: 32))\n"))
    #expect(text.contains("Units: sysinit.target basic.target\n"))
  }

  @Test("the status shows unknown states, causes, kinds, levels and reasons of a reply unchanged")
  func unrecognized() throws {
    let message = #"""
      {"parameters":{"guest":{"name":"web","state":"hibernating","since":1800000000000000,"connections":0,"wakes":1,"limits":[],"files":[],
      "sockets":[{"address":"[::]:80","kind":"seqpacket+","name":"http","passed":false}],
      "lastWake":{"cause":"alarm","at":1800000000000000},"lastStop":{"cause":"maintenance","at":1800000000000000,"killed":false},
      "messages":[{"at":1800000000000000,"level":"notice","text":"it snores"}],
      "counters":{"failedWakes":0,"freezes":0,"stops":0,"kills":0,"crashes":0,"reboots":0,"connectionsRefused":0,"accepted":0,
      "unanswered":0,"handedOver":0,"parked":0,"unparked":0,"undrained":0,"lost":[{"reason":"evaporated","count":2}],
      "notifyRefused":0,"memoryKills":0,"dreams":7},"aKeyOfALaterVersion":true}}}
      """#
    let reply = try Call.status(name: "web", console: false).decodeReply(Array(message.utf8))
    guard case .status(let status) = reply else {
      Issue.record("\(reply) is no status")
      return
    }
    let text = StatusText(status, now: now).text
    #expect(text.contains("State: hibernating since "))
    #expect(text.contains("Socket: [::]:80 seqpacket+ \"http\"\n"))
    #expect(text.contains(", by alarm\n"))
    #expect(text.contains(", maintenance\n"))
    #expect(text.contains("Notice: it snores (3min 12s ago)\n"))
    #expect(text.contains("2 lost (evaporated)"))
    let why = GuestExplanation(name: "web", state: status.state, since: then)
    #expect(WhyText(why, now: now).text == "web is hibernating, since 3min 12s ago.\n")
  }

  @Test("the explanation lists the connections that keep a guest awake")
  func why() {
    var guest = GuestExplanation(name: "web", state: .active, since: then)
    var connection = ConnectionStatus(socket: "[::]:80", local: "[::1]:80", state: "ESTABLISHED")
    connection.remote = "[::1]:40000"
    connection.since = then
    connection.silentMs = 5000
    guest.connections = [connection]
    #expect(
      WhyText(guest, now: now).text == """
        web is active, since 3min 12s ago.
        These connections keep it awake:
        SOCKET   LOCAL     REMOTE       STATE        SINCE         SILENT FOR
        [::]:80  [::1]:80  [::1]:40000  ESTABLISHED  3min 12s ago  5.0 s

        """)
  }

  @Test("the status counts one thing as one, and several as several")
  func numbers() {
    var status = GuestStatus(name: "web", state: .active, since: then)
    status.counters[.accepted] = 1
    status.counters[.crashes] = 1
    status.counters[.stops] = 2
    #expect(StatusText(status, now: now).text.contains("Counters: 2 stops, 1 crash, 1 connection\n"))
  }

  @Test(
    "the explanation says when a guest will be frozen, and does not say of a frozen one that connections keep it awake")
  func whyFrozen() {
    var guest = GuestExplanation(name: "web", state: .active, since: then)
    guest.connections = [ConnectionStatus(socket: "[::]:80", local: "[::1]:80", state: "ESTABLISHED")]
    guest.freezeAt = Timestamp(microseconds: now.microseconds + 6_000_000)
    let active = WhyText(guest, now: now).text
    #expect(active.contains("It will be frozen in 6s, unless somebody uses it.\n"))
    #expect(active.contains("These connections keep it from being stopped:\n"))
    var frozen = GuestExplanation(name: "web", state: .frozen, since: then)
    frozen.connections = guest.connections
    #expect(!WhyText(frozen, now: now).text.contains("awake"))
  }

  @Test("the explanation names the units in the guest that have failed")
  func whyFailed() {
    var guest = GuestExplanation(name: "web", state: .active, since: then)
    guest.failedUnits = [FailedUnit(unit: "web.service", result: "exit-code", log: "no database")]
    #expect(
      WhyText(guest, now: now).text.hasSuffix("In the guest, web.service has failed (exit-code): \"no database\".\n"))
  }

  @Test("the units in a guest that sleeps had failed when it ran")
  func hadFailed() {
    var guest = GuestExplanation(name: "web", state: .inactive, since: then)
    guest.failedUnits = [FailedUnit(unit: "web.service", result: "exit-code")]
    #expect(
      WhyText(guest, now: now).text.hasSuffix("In the guest, web.service had failed in its last run (exit-code).\n"))
    var status = GuestStatus(name: "web", state: .inactive, since: then)
    status.report = GuestReport()
    status.report?.failedUnits = guest.failedUnits
    #expect(
      StatusText(status, now: now).text.contains("Failed unit: web.service had failed in its last run (exit-code)\n"))
  }

  @Test("the explanation of a failed guest says when it is tried again, and how to try at once")
  func whyRetry() {
    var guest = GuestExplanation(name: "web", state: .failed, since: then)
    guest.retryAt = Timestamp(microseconds: now.microseconds + 6_000_000)
    #expect(
      WhyText(guest, now: now).text.hasSuffix("the next attempt is in 6s, or now with `dormouse wake web`.\n"))
    guest.retryAt = nil
    guest.wakeBy = ["[::]:80"]
    #expect(
      WhyText(guest, now: now).text.contains("made for the next client, or now with `dormouse wake web`.\n"))
  }

  @Test("a system that powered itself off is said to have done so, and not to have died of a signal")
  func poweredOff() {
    var status = GuestStatus(name: "web", state: .inactive, since: then)
    var stop = StopReport(cause: .request, at: then)
    for (signal, words) in [("SIGINT", "powered off"), ("SIGHUP", "reboot requested"), ("SIGSEGV", "SIGSEGV")] {
      stop.signal = signal
      status.lastStop = stop
      #expect(StatusText(status, now: now).text.contains("\(stop.cause.words): \(words)\n"))
    }
  }

  @Test("the explanation says when an idle guest will be stopped, and what wakes a sleeping one")
  func whyIdle() {
    var idle = GuestExplanation(name: "web", state: .active, since: then)
    idle.idleSince = then
    idle.stopAt = Timestamp(microseconds: now.microseconds + 6_000_000)
    #expect(WhyText(idle, now: now).text.hasSuffix("It will be stopped in 6s, unless somebody uses it.\n"))
    var asleep = GuestExplanation(name: "web", state: .inactive, since: then)
    asleep.wakeBy = ["[::]:80", "@web"]
    #expect(WhyText(asleep, now: now).text.hasSuffix("A connection to one of these wakes it: [::]:80 @web\n"))
  }
}
