import Testing

@testable import Supervision

@Suite("The daemon's command line")
struct DaemonArgumentsTests {
  @Test("Without arguments the default search path, the default runtime directory and every guest")
  func defaults() throws {
    let arguments = try DaemonArguments([])
    #expect(arguments.searchPath == nil)
    #expect(arguments.runtime == "/run/dormouse")
    #expect(arguments.guests.isEmpty)
  }

  @Test("Options may be written in both ways, repeated, and stand between names")
  func options() throws {
    let arguments = try DaemonArguments(["--config", "/a", "web", "--config=/b", "--runtime=/r", "--", "-odd"])
    #expect(arguments.searchPath == ["/a", "/b"])
    #expect(arguments.runtime == "/r")
    #expect(arguments.guests == ["web", "-odd"])
  }

  @Test(
    "What cannot be understood is said with the usage",
    arguments: [["--confg", "/a"], ["-v"], ["--runtime"], ["--config="]])
  func problems(_ words: [String]) {
    let problem = #expect(throws: DaemonArguments.Problem.self) { try DaemonArguments(words) }
    #expect(problem?.description.contains(DaemonArguments.usage) == true)
  }
}
