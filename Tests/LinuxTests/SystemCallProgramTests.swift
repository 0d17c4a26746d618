import Glibc
import Linux
import Testing

@Suite("System call filter")
struct SystemCallProgramTests {
  @Test("a system call program has whole instructions, more of them with more rules, and the same for the same rules")
  func exported() throws {
    func make(_ calls: [String]) throws -> [UInt8] {
      var program = try SystemCallProgram(otherwise: .fail(ENOSYS))
      program.add(.allow, calls)
      return try program.exported()
    }
    let few = try make(["read", "write"])
    let more = try make(["read", "write", "mount", "socket", "clone3"])
    #expect(few.count % 8 == 0 && !few.isEmpty)
    #expect(more.count > few.count)
    #expect(try make(["read", "write"]) == few)
    #expect(try make(["clone3", "mount", "socket", "write", "read"]) == more)
  }

  @Test("a system call program skips calls that the architectures do not have and that libseccomp does not know")
  func unknown() throws {
    var program = try SystemCallProgram(otherwise: .allow)
    program.add(.fail(EPERM), ["riscv_flush_icache", "call_of_tomorrow", "socketcall", "s390_runtime_instr"])
    #expect(try program.exported().count >= 8)
  }

  @Test("a system call program takes conditions on arguments, also where 32-bit x86 hides them")
  func arguments() throws {
    var program = try SystemCallProgram(otherwise: .allow)
    let netlink = SystemCallProgram.Condition(argument: 0, mask: 0xffff_ffff, value: 16)
    program.add(.fail(EAFNOSUPPORT), ["socket"], if: [netlink])
    program.add(.fail(EAFNOSUPPORT), ["socket"], if: [.init(argument: 0, mask: nil, value: 63)], holdsUnseen: true)
    #expect(try !program.exported().isEmpty)
  }
}
