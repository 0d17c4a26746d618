import CSystemd
import Glibc
import Linux
import Testing

@testable import Systemd

@Suite struct PassedDescriptorsTests {
  @Test("a passed descriptor can be taken once")
  func takeOnce() throws {
    let pair = try Pair()
    let passed = PassedDescriptors(from: pair.writing, names: ["http"])
    #expect(passed.names == ["http"] && passed.count == 1)
    let taken = passed.take(0)
    let raw = number(of: taken)
    #expect(raw == pair.writing)
    let again = passed.take(0)
    let secondRaw = number(of: again)
    #expect(secondRaw == nil)
    for index in [-1, 1] {
      let beyond = passed.take(index)
      let beyondRaw = number(of: beyond)
      #expect(beyondRaw == nil)
    }
  }

  @Test("a passed descriptor that nobody took is closed with the list")
  func closes() throws {
    let pair = try Pair()
    var passed: PassedDescriptors? = PassedDescriptors(from: pair.writing, names: ["http"])
    #expect(passed?.count == 1 && !pair.isAtEnd)
    passed = nil
    #expect(pair.reachesEnd)
  }

  @Test("a passed descriptor that was taken outlives the list")
  func outlives() throws {
    let pair = try Pair()
    var passed: PassedDescriptors? = PassedDescriptors(from: pair.writing, names: ["http"])
    do {
      let taken = passed?.take(0)
      passed = nil
      let raw = number(of: taken)
      #expect(raw == pair.writing && !pair.isAtEnd)
      _ = consume taken
    }
    #expect(pair.reachesEnd)
  }

  @Test("no descriptor is passed without the LISTEN_ variables")
  func nothing() throws {
    #expect(try PassedDescriptors().count == 0)
  }
}

private func number(of fd: borrowing OwnedFD?) -> Int32? {
  switch fd {
  case .some(let fd): fd.raw
  case .none: nil
  }
}

/// Two connected sockets. The number of the writing end is passed on, and the hang-up of the other end shows when it was closed.
private final class Pair {
  let reading: OwnedFD
  let writing: Int32

  init() throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    try retrying("socketpair") { socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) }
    reading = OwnedFD(owning: ends[0])
    writing = ends[1]
  }

  var isAtEnd: Bool { isHungUp(within: 0) }

  /// Waits, because a child that another test makes meanwhile has a copy until it executes its program.
  var reachesEnd: Bool { isHungUp(within: 60_000) }

  private func isHungUp(within milliseconds: Int32) -> Bool {
    var entry = pollfd(fd: reading.raw, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, milliseconds) == 1 && Int32(entry.revents) & POLLHUP != 0
  }
}
