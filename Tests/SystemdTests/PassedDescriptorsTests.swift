import Glibc
import Linux
import Testing

@testable import Systemd

@Suite struct PassedDescriptorsTests {
  @Test("a passed descriptor can be taken once")
  func takeOnce() throws {
    let pipe = try Pipe()
    let passed = PassedDescriptors(from: pipe.writing, names: ["http"])
    #expect(passed.names == ["http"] && passed.count == 1)
    let taken = passed.take(0)
    let raw = number(of: taken)
    #expect(raw == pipe.writing)
    let again = passed.take(0)
    let secondRaw = number(of: again)
    #expect(secondRaw == nil)
  }

  @Test("what nobody took is closed with the list")
  func closes() throws {
    let pipe = try Pipe()
    var passed: PassedDescriptors? = PassedDescriptors(from: pipe.writing, names: ["http"])
    #expect(passed?.count == 1 && !pipe.isAtEnd)
    passed = nil
    #expect(pipe.isAtEnd)
  }

  @Test("what was taken outlives the list")
  func outlives() throws {
    let pipe = try Pipe()
    var passed: PassedDescriptors? = PassedDescriptors(from: pipe.writing, names: ["http"])
    do {
      let taken = passed?.take(0)
      passed = nil
      let raw = number(of: taken)
      #expect(raw == pipe.writing && !pipe.isAtEnd)
      _ = consume taken
    }
    #expect(pipe.isAtEnd)
  }

  @Test("without the variables nothing was passed")
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

/// A pipe whose writing end is given away by number: its end of file tells when that was closed.
private final class Pipe {
  let reading: OwnedFD
  let writing: Int32

  init() throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    try retrying("pipe") { Glibc.pipe(&ends) }
    reading = OwnedFD(owning: ends[0])
    writing = ends[1]
    _ = fcntl(reading.raw, F_SETFL, O_NONBLOCK)
  }

  var isAtEnd: Bool {
    var byte: UInt8 = 0
    return read(reading.raw, &byte, 1) == 0
  }
}
