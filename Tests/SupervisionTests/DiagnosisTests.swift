import ControlProtocol
import GuestSpec
import Lifecycle
import Testing
import UnitSyntax

@testable import Supervision

@Suite("Why nobody serves at a socket")
struct UnservedTests {
  private let listen = Listen(.stream, .ipv4(address: [127, 0, 0, 1], port: 80))

  /// What the unit files in the guest's root promise; `unit` has the address of the test, or else `other`.
  private func claim(unit: String?, other: String = "") -> SocketAgreement.Claim {
    let address = unit == nil ? other : "ListenStream=127.0.0.1:80"
    let file = UnitFile(path: "h.socket", bytes: Array("[Socket]\n\(address)\n".utf8))
    let listener = PlacedListener(listen, in: SocketGroup(), file: "web.guest", line: 2)
    let units = [SocketUnit(name: unit ?? "h.socket", files: [file])]
    return SocketAgreement(guest: Guest(name: "web"), listeners: [listener], units: units).claims[0]
  }

  private func units(
    _ state: String = "active", result: String = "success", service: String = "h.service", load: String = "loaded",
    listen: String = "Stream 127.0.0.1:80", failed: [FailedUnit] = []
  ) -> GuestUnits {
    let socket = SocketUnitStatus(
      unit: "h.socket", state: state, result: result, listen: [listen], service: service, serviceLoad: load, log: "line"
    )
    return GuestUnits(failed: failed, sockets: [socket])
  }

  @Test("a unit that has the address and has failed is named with its result, and with the service that failed before")
  func failed() {
    let alone = units("failed", result: "trigger-limit-hit")
    #expect(
      Unserved(listen, nil, alone, wasTaken: false)
        == .unitFailed(unit: "h.socket", result: "trigger-limit-hit", cause: nil))
    let service = FailedUnit(unit: "h.service", result: "exit-code", status: 1, log: "no database")
    let both = units("failed", result: "service-start-limit-hit", failed: [service])
    let why = Unserved(listen, nil, both, wasTaken: true)
    #expect(UnservedReason(why) == .unitFailed && why.unit == "h.socket" && why.result == "service-start-limit-hit")
    #expect("\(why)".hasSuffix("because of h.service (exit-code): \"no database\""))
  }

  @Test("a program that cannot be executed, and a service that does not exist, are told from other failures")
  func noProgram() {
    let service = FailedUnit(unit: "h.service", result: "exit-code", status: 203, log: "")
    #expect(UnservedReason(Unserved(listen, nil, units("failed", failed: [service]), wasTaken: true)) == .noProgram)
    for state in ["inactive", "failed"] {
      let why = Unserved(listen, nil, units(state, load: "not-found"), wasTaken: true)
      #expect(why == .noService(unit: "h.socket", service: "h.service"))
    }
  }

  @Test("a unit that was not started is told from one that has failed, and from one that let the socket go")
  func notStarted() {
    #expect(Unserved(listen, nil, units("inactive"), wasTaken: false) == .notStarted(unit: "h.socket", log: "line"))
    #expect(Unserved(listen, nil, units("active"), wasTaken: false) == .letGo(unit: "h.socket"))
    // systemd did not even load it, as when it breaks a cycle of dependencies.
    let other = units(listen: "Stream [::]:81")
    #expect(Unserved(listen, claim(unit: "h.socket"), other, wasTaken: false) == .notStarted(unit: "h.socket", log: ""))
  }

  @Test("what was taken once is let go, whether or not the guest answers")
  func letGo() {
    #expect(Unserved(listen, nil, nil, wasTaken: true) == .letGo(unit: nil))
    #expect(Unserved(listen, claim(unit: "h.socket"), nil, wasTaken: true) == .letGo(unit: "h.socket"))
    #expect(Unserved(listen, claim(unit: nil), units(listen: "Stream [::]:81"), wasTaken: true) == .letGo(unit: nil))
  }

  @Test("a unit that has the address by its file is not called missing when the guest does not answer")
  func silent() {
    #expect(Unserved(listen, claim(unit: "h.socket"), nil, wasTaken: false) == .letGo(unit: "h.socket"))
    #expect(Unserved(listen, nil, nil, wasTaken: false) == .notTaken)
  }

  @Test("an address that no unit has is named with the near miss")
  func noUnit() {
    let far = Unserved(listen, claim(unit: nil), nil, wasTaken: false)
    #expect(UnservedReason(far) == .noUnit && "\(far)".contains("enable a unit with ListenStream=127.0.0.1:80"))
    let family = Unserved(
      listen, claim(unit: nil, other: "ListenStream=80"), units(listen: "Stream [::]:80"), wasTaken: false)
    #expect(UnservedReason(family) == .wrongFamily && "\(family)".contains("h.socket has ListenStream=[::]:80"))
    let port = Unserved(listen, claim(unit: nil, other: "ListenStream=127.0.0.1:81"), nil, wasTaken: false)
    #expect(UnservedReason(port) == .nearMiss)
  }

  @Test("systemd's way to write the interface of an address makes no difference")
  func scope() {
    let local = Listen(
      .stream, .ipv6(address: [0xFE, 0x80] + [UInt8](repeating: 0, count: 13) + [1], port: 80, scope: "eth0"))
    for text in ["Stream [fe80::1]:80", "Stream [fe80::1]:80%eth0"] {
      #expect(UnservedReason(Unserved(local, nil, units("inactive", listen: text), wasTaken: false)) == .notStarted)
    }
  }
}

@Suite("The supervisor of a guest that is asked what failed in it")
struct SupervisorDiagnosisTests {
  private let failed = FailedUnit(unit: "web.service", result: "exit-code", status: 1, log: "no database")

  @Test("a socket that nobody has open is in the log once the guest has said why, and clients are refused meanwhile")
  func notAdopted() throws {
    let world = try World()
    world.begin()
    world.asker.isSlow = true
    world.asker.units = GuestUnits(failed: [failed])
    world.wake()
    try world.instance.close(world.supervisor.listeners.all[0].inode)
    try world.instance.say("READY=1")
    #expect(world.captured.count(\.isNotAdopted) == 0)
    let client = try world.connect()
    #expect(world.history.counters[.connectionsRefused] == 1)
    world.asker.answerNow()
    #expect(world.captured.count(\.isNotAdopted) == 1)
    #expect(world.asker.addresses == ["Stream \(world.supervisor.listeners.all[0].address)"])
    let status = world.supervisor.status(console: false)
    #expect(status.report?.failedUnits == [failed] && status.sockets[0].unserved?.reason == .noUnit)
    #expect(world.supervisor.summary.note?.hasPrefix("nobody serves at 127.") == true)
    withExtendedLifetime(client.raw) {}
  }

  @Test("a guest that closed a socket at which a client waits is ended once, when it has said why")
  func closed() throws {
    let world = try World()
    try world.serve()
    try world.instance.close(world.supervisor.listeners.all[0].inode)
    world.asker.isSlow = true
    world.asker.units = GuestUnits()
    let client = try world.connect()
    world.advance(by: .seconds(31))
    world.advance(by: .seconds(31))
    #expect(world.asker.asked.count == 1 && world.state.rest == .serving)
    world.asker.answerNow()
    #expect(world.captured.count(\.isListenerClosed) == 1 && world.state.haltCause == .listenerClosed)
    withExtendedLifetime(client.raw) {}
  }

  @Test("a guest that does not answer is asked three times, and then believed to have let the socket go")
  func silent() throws {
    let world = try World()
    try world.serve()
    try world.instance.close(world.supervisor.listeners.all[0].inode)
    let client = try world.connect()
    world.advance(by: .seconds(31))
    world.advance(by: .seconds(31))
    #expect(world.asker.asked.count == 3 && world.captured.count(\.isListenerClosed) == 1)
    withExtendedLifetime(client.raw) {}
  }

  @Test("what a guest says after its end changes nothing")
  func late() throws {
    let world = try World()
    try world.serve()
    try world.instance.close(world.supervisor.listeners.all[0].inode)
    world.asker.isSlow = true
    let client = try world.connect()
    world.advance(by: .seconds(31))
    world.sleep(now: true)
    try world.instance.end()
    world.asker.answerNow()
    #expect(world.captured.count(\.isListenerClosed) == 0)
    withExtendedLifetime(client.raw) {}
  }

  @Test("a start that takes too long is in the log with the unit that failed in the guest")
  func slowStart() throws {
    let world = try World { $0.policy.timeoutStart = .seconds(5) }
    world.asker.units = GuestUnits(failed: [failed])
    world.begin()
    world.wake()
    world.advance(by: .seconds(6))
    try world.instance.end()
    #expect(
      world.replies == [
        .failure(
          .wakeFailed(
            name: "web",
            reason: "not ready within TimeoutStartSec= (5.0 s); in the guest, web.service has failed (exit-code): "
              + "\"no database\""))
      ])
    #expect(world.supervisor.summary.note?.contains("web.service has failed") == true)
    #expect(world.supervisor.explanation.failedUnits == [failed])
  }

  @Test("a guest whose init cannot be systemd, and one that is frozen or asleep, is not asked")
  func notAsked() throws {
    let other = try World {
      $0.exec.boot = false; $0.exec.notifyReady = true
    }
    try other.serve()
    other.supervisor.describe(console: false) { _ in }
    #expect(other.asker.asked == [])
    let frozen = try World { $0.policy.idleFreeze = .seconds(1) }
    frozen.begin()
    frozen.supervisor.describe(console: false) { _ in }
    frozen.wake()
    try frozen.instance.say("READY=1")
    frozen.freeze(now: true)
    frozen.loop.turn()
    #expect(frozen.state.rest == .frozen)
    var reply: Reply?
    frozen.supervisor.explain { reply = $0 }
    #expect(frozen.asker.asked == [] && reply != nil)
  }
}
