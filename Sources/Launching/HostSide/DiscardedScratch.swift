import Glibc
import Linux

/// The scratch directory of a guest that is gone, with a note of it that stays until all of it is removed: what a daemon that is killed
/// meanwhile leaves, the next one finds.
///
/// What a guest has written there may be much, and a daemon that does nothing but remove it serves nobody.
public final class DiscardedScratch {
  private let note: String
  /// nil when the note names no such directory: that one stays.
  private let removal: TreeRemoval?
  private static let suffix = ".discarded"

  /// Takes over the directory that the note at `scratchNote` names, in the name of its own that it has: the guest's next start writes
  /// another note. nil when there is no note.
  init?(takingOver scratchNote: String, runtime: String) {
    guard let path = Self.path(recordedAt: scratchNote) else { return nil }
    let own = "\(runtime)/\(path.split(separator: "/").last ?? "")\(Self.suffix)"
    note = rename(scratchNote, own) == 0 ? own : scratchNote
    removal = isScratch(path) ? TreeRemoval(of: path) : nil
  }

  private init(recordedAt note: String) {
    self.note = note
    removal = Self.path(recordedAt: note).flatMap { isScratch($0) ? TreeRemoval(of: $0) : nil }
  }

  /// Those that an earlier daemon had no time to remove.
  public static func left(in runtime: String) -> [DiscardedScratch] {
    ((try? directoryEntries(runtime)) ?? []).filter { $0.hasSuffix(suffix) }
      .map { DiscardedScratch(recordedAt: "\(runtime)/\($0)") }
  }

  /// Removes at most `limit` files of it, and the note after the last.
  ///
  /// - Returns: whether nothing is left to do.
  public func remove(atMost limit: Int = .max) -> Bool {
    guard removal?.removeNext(atMost: limit) != false else { return false }
    removeFile(note)
    return true
  }

  private static func path(recordedAt note: String) -> String? {
    (try? readFile(note, limit: 4096)).map { String(decoding: $0, as: UTF8.self) }
  }
}
