import Testing

@Suite("Clients that connect without pause")
struct StormTests {
  @Test("lose nothing at stops, and at kills only what the killed process had accepted: a short storm")
  func short() throws {
    let outcome = try command([
      Built.source + "/Tests/storm/storm", "--bin", Built.directory, "--subjects", "tiny,tiny:passed", "--edges", "30",
    ])
    #expect(outcome.succeeded, "\(outcome.output)\n\(outcome.errors)")
  }
}
