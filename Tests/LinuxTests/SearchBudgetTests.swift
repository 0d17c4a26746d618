import Testing

@testable import Linux

@Suite("The budget of searches through a guest's descriptors")
struct SearchBudgetTests {
  @Test("sixteen searches may follow each other, and then one every four seconds")
  func looks() {
    var budget = SearchBudget()
    let now = Duration.seconds(1000)
    #expect((0..<20).count { _ in budget.take(at: now) } == 16)
    #expect((0..<20).count { _ in budget.take(at: now + .seconds(3)) } == 0)
    #expect((0..<20).count { _ in budget.take(at: now + .seconds(9)) } == 2)
    #expect((0..<20).count { _ in budget.take(at: now + .seconds(3600)) } == 16)
  }
}
