import Testing

@Suite("Clients that connect without pause")
struct StormTests {
  @Test("lose nothing at stops, at kills only what the killed process had accepted: a short storm")
  func short() throws {
    let subjects = ["--subjects", "tiny:store,tiny:passed:store,host:store", "--edges", "50"]
    let outcome = try command([Built.source + "/Tests/storm/storm", "--bin", Built.directory] + subjects)
    #expect(outcome.succeeded, "\(outcome.output)\n\(outcome.errors)")
  }
}
