/// The scratch directory of a start, on the host, and how many directories were made in it.
struct Scratch {
  private let path: String?
  private var count = 0

  init(_ facts: StartFacts) { path = facts.hostSide.scratch }

  /// A new directory, and the step that makes it.
  mutating func directory(for destination: String) throws(PlanError) -> (path: String, making: Step) {
    guard let path else { throw .noScratchDirectory(destination: destination) }
    let directory = "\(path)/\(count)"
    count += 1
    return (directory, .makeDirectory(path: directory, mode: 0o755))
  }

  /// Whether `path` lies in the scratch directory.
  func contains(_ path: String) -> Bool { self.path.map { path.hasPrefix($0 + "/") } ?? false }
}
