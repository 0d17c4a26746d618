import Linux

/// The note, one file a guest in the runtime directory, that says in which cgroup it runs: a later daemon, itself perhaps in
/// another cgroup, finds by it what a killed one left behind.
struct RunRecord {
  private let directory: String
  private static let suffix = ".cgroup"

  init(runtime: String) { directory = runtime }

  /// - Throws: `SystemError` when the note cannot be written; a guest must not be started without it.
  func write(_ guest: String, base: String) throws(SystemError) {
    try writeFile(path(of: guest), base + "\n")
  }

  func remove(_ guest: String) { removeFile(path(of: guest)) }

  /// The guests that have a note, with the cgroup that holds theirs; nil when the note does not say.
  func all() -> [(guest: String, base: String?)] {
    let names = (try? directoryEntries(directory)) ?? []
    return names.sorted().filter { $0.hasSuffix(Self.suffix) }.map { name in
      let guest = String(name.dropLast(Self.suffix.count))
      let text = (try? readFile(path(of: guest), limit: 4096)) ?? []
      return (guest, String(decoding: text, as: UTF8.self).split(separator: "\n").first.map(String.init))
    }
  }

  private func path(of guest: String) -> String { "\(directory)/\(guest)\(Self.suffix)" }
}
