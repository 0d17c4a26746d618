import Foundation
import Glibc
import Testing

@Suite("A guest's root")
struct RootFaultTests {
  /// A defect of a root, and the text that the message about it must contain.
  enum Fault: String, CaseIterable {
    case gone, file, noInit, notExecutable, wrongMachine, noInterpreter

    var message: String {
      switch self {
      case .gone: "root-echo: No such file or directory"
      case .file: "root-echo: Not a directory"
      case .noInit: "/sbin/init: No such file or directory"
      case .notExecutable: "/sbin/init: Permission denied"
      case .wrongMachine: "/sbin/init: Exec format error"
      case .noInterpreter: "/sbin/init: No such file or directory"
      }
    }

    func happen(to root: String) throws {
      let program = root + "/sbin/init"
      switch self {
      case .gone: rename(root, root + ".away")
      case .file:
        rename(root, root + ".away")
        try "".write(toFile: root, atomically: false, encoding: .utf8)
      case .noInit: rename(program, root + ".init")
      case .notExecutable: chmod(program, 0o644)
      case .wrongMachine:
        rename(program, root + ".init")
        var header = try Data(contentsOf: URL(fileURLWithPath: root + ".init"))
        // e_machine of elf(5): an architecture that Linux does not support.
        header[18] = 0xfe
        header[19] = 0xfe
        try writeProgram(header, to: program)
      case .noInterpreter:
        rename(program, root + ".init")
        try writeProgram("#!/no/such/shell\n".utf8, to: program)
      }
    }

    func mend(_ root: String) {
      switch self {
      case .gone, .file:
        unlink(root)
        rename(root + ".away", root)
      case .noInit, .wrongMachine, .noInterpreter: rename(root + ".init", root + "/sbin/init")
      case .notExecutable: chmod(root + "/sbin/init", 0o755)
      }
    }
  }

  @Test(
    "a defective root is reported with its defect, the pauses grow, and once repaired the guest serves queued clients",
    arguments: Fault.allCases)
  func fault(_ fault: Fault) throws {
    try World.with { world in
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      let root = world.root(of: "echo")
      try fault.happen(to: root)
      let client = try world.connect("127.0.0.1:8001")
      try daemon.waitForLog("\(fault.message); pausing for 500 ms")
      try daemon.waitForLog("\(fault.message); pausing for 1.0 s")
      #expect(Cgroups.processes(below: world.cgroup) == [daemon.pid])
      fault.mend(root)
      #expect(try client.ask("mended") == "mended")
    }
  }
}
