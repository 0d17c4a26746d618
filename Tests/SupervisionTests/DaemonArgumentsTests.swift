import Testing

@testable import Supervision

@Suite("The daemon's command line")
struct DaemonArgumentsTests {
  @Test("without arguments the defaults apply: search path, runtime directory, all guests")
  func defaults() throws {
    let arguments = try DaemonArguments([])
    #expect(arguments.searchPath == nil)
    #expect(arguments.runtime == "/run/dormouse")
    #expect(arguments.guests.isEmpty)
  }

  @Test("an option may be written in two ways, be repeated, and come between names")
  func options() throws {
    let arguments = try DaemonArguments(["--config", "/a", "web", "--config=/b", "--runtime=/r", "--", "-odd"])
    #expect(arguments.searchPath == ["/a", "/b"])
    #expect(arguments.runtime == "/r")
    #expect(arguments.guests == ["web", "-odd"])
  }

  @Test(
    "an argument that cannot be understood is reported with the usage",
    arguments: [["--confg", "/a"], ["-v"], ["--runtime"], ["--config="]])
  func problems(_ words: [String]) {
    let problem = #expect(throws: DaemonArguments.Problem.self) { try DaemonArguments(words) }
    #expect(problem?.description.contains(DaemonArguments.usage) == true)
  }
}
