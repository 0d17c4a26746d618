import GuestSpec

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

extension Guest {
  /// Whether a start needs a scratch directory on the host, which is removed with the instance.
  public var needsScratch: Bool { files.needsScratch || isEphemeral }

  /// Whether the guest's changes go to an overlay on the host's disk. With `Volatile=` they go to memory, and `Ephemeral=` changes nothing.
  var isEphemeral: Bool { exec.root.ephemeral && files.volatile == .no }
}

extension FilesSettings {
  /// Whether some `Bind=:/path` or `Overlay=/path::/path` needs a scratch directory.
  var needsScratch: Bool {
    mounts.contains { mount in
      switch mount {
      case .bind(let source, _, _, _, _, _): source.isEmpty
      case .overlay(let layers, _, _): layers.last == .temporary
      case .bindOwn, .temporaryFileSystem, .inaccessible: false
      }
    }
  }
}
