import Glibc
import Linux
import Systemd
import Testing

@Suite struct ChangeFilterTests {
  @Test("a change filter passes a value that differs from the last, and no repetition")
  func repetition() {
    var filter = ChangeFilter<SystemError>()
    let full = SystemError("sendmsg", errno: EAGAIN)
    let refused = SystemError("sendmsg", errno: ECONNREFUSED)
    #expect([full, full, refused, refused, full].map { filter.isNew($0) } == [true, false, true, false, true])
  }

  @Test("a change filter passes the same value again after it was reset")
  func reset() {
    var filter = ChangeFilter<String>()
    let before = [filter.isNew("full"), filter.isNew("full")]
    filter.reset()
    let after = [filter.isNew("full"), filter.isNew("full")]
    #expect(before == [true, false] && after == [true, false])
  }

  @Test("a change filter counts nil as a value of its own")
  func optional() {
    var filter = ChangeFilter<Int?>()
    #expect([nil, nil, 1, nil].map { filter.isNew($0) } == [true, false, true, true])
  }
}
