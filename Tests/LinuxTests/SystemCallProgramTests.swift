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

  #if arch(x86_64)
    @Test("a system call program treats a call of x32 like one of an unknown architecture")
    func x32() throws {
      var program = try SystemCallProgram(otherwise: .fail(ENOSYS))
      program.add(.allow, ["read"])
      let machine = FilterMachine(try program.exported())
      #expect(machine.answer(FilterMachine.amd64, 0) == FilterMachine.allow)
      #expect(machine.answer(FilterMachine.x86, 3) == FilterMachine.allow)
      #expect(machine.answer(FilterMachine.amd64, 0x4000_0000) == FilterMachine.error(ENOSYS))
      #expect(machine.answer(0xc000_00b7, 63) == FilterMachine.error(ENOSYS))
    }

    @Test(
      "a rule for a family that holds unseen covers all ways of 32-bit x86 to make a socket, and no other use of socketcall(2)"
    )
    func socketcall() throws {
      var program = try SystemCallProgram(otherwise: .allow)
      let family = SystemCallProgram.Condition(argument: 0, mask: 0xffff_ffff, value: 40)
      program.add(.fail(EAFNOSUPPORT), ["socket"], if: [family], holdsUnseen: true)
      let machine = FilterMachine(try program.exported())
      let refused = FilterMachine.error(EAFNOSUPPORT)
      #expect(machine.answer(FilterMachine.amd64, 41, 40) == refused)
      #expect(machine.answer(FilterMachine.amd64, 41, 2) == FilterMachine.allow)
      #expect(machine.answer(FilterMachine.x86, 359, 40) == refused)
      #expect(machine.answer(FilterMachine.x86, 359, 2) == FilterMachine.allow)
      #expect(machine.answer(FilterMachine.x86, 102, 1) == refused)
      #expect(machine.answer(FilterMachine.x86, 102, 3) == FilterMachine.allow)
    }
  #endif
}

/// Executes a seccomp(2) program as the kernel would, for one call.
private struct FilterMachine {
  static let (amd64, x86) = (0xc000_003e as UInt32, 0x4000_0003 as UInt32)
  static let allow: UInt32 = 0x7fff_0000
  static func error(_ number: Int32) -> UInt32 { 0x0005_0000 | UInt32(number) }

  private var instructions: [(code: UInt16, yes: Int, no: Int, value: UInt32)] = []

  init(_ program: [UInt8]) {
    for start in stride(from: 0, to: program.count, by: 8) {
      let part = program[start..<start + 8].map(UInt32.init)
      instructions.append(
        (
          UInt16(part[0] | part[1] << 8), Int(part[2]), Int(part[3]),
          part[4] | part[5] << 8 | part[6] << 16 | part[7] << 24
        ))
    }
  }

  /// What the program returns for the call with this number and first argument. Nil: it has an instruction that this machine lacks.
  func answer(_ architecture: UInt32, _ number: UInt32, _ argument: UInt32 = 0) -> UInt32? {
    // The words of struct seccomp_data: the number, the architecture, the instruction's address, the arguments.
    let data: [UInt32] = [number, architecture, 0, 0, argument] + [UInt32](repeating: 0, count: 11)
    var (next, loaded) = (0, UInt32(0))
    while instructions.indices.contains(next) {
      let (code, yes, no, value) = instructions[next]
      next += 1
      switch code {
      case 0x20: loaded = data[Int(value) / 4]
      case 0x54: loaded &= value
      case 0x05: next += Int(value)
      case 0x15: next += loaded == value ? yes : no
      case 0x25: next += loaded > value ? yes : no
      case 0x35: next += loaded >= value ? yes : no
      case 0x06: return value
      default: return nil
      }
    }
    return nil
  }
}
