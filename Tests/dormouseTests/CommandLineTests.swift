import ControlProtocol
import Testing

@testable import dormouse

@Suite("The command line of dormouse")
struct CommandLineTests {
  @Test("dormouse --version prints the version of the daemon that it belongs to")
  func version() throws {
    let exit = try #require(throws: (any Error).self) { try Dormouse.parseAsRoot(["--version"]) }
    #expect(Dormouse.message(for: exit) == "dormouse \(DormouseVersion.current)")
    #expect(Dormouse.exitCode(for: exit) == .success)
  }
}
