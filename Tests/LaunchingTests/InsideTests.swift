import Glibc
import GuestSpec
import Launching
import Linux
import Planning
import Testing

@Suite("What PID 1 finds")
struct InsideTests {
  @Test("it is process 1 and its output arrives at the console's master")
  func first() throws {
    #expect(try TestGuest().output(of: "echo I am $$ in $(cat /proc/1/cgroup | grep ^0)") == "I am 1 in 0::/\n")
  }
}
