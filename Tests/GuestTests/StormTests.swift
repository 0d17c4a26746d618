import Testing

@Suite("Clients that connect without pause")
struct StormTests {
  @Test("a short storm of clients loses no connection at stops, and at kills only those that were accepted")
  func short() throws {
    let subjects = ["--subjects", "tiny:store,tiny:passed:store,host:store", "--edges", "50"]
    let outcome = try command([Built.source + "/Tests/storm/storm", "--bin", Built.directory] + subjects)
    #expect(outcome.succeeded, "\(outcome.output)\n\(outcome.errors)")
  }
}
