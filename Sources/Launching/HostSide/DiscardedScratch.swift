import Glibc
import Linux

/// The scratch directory of an instance that has ended. Its record stays until the whole directory is removed, so that the next daemon
/// finds what a killed one has left.
///
/// The directory may be large, so it is removed in parts between which the daemon serves its guests.
public final class DiscardedScratch {
  private let record: String
  /// nil when the record does not name a scratch directory; then nothing is removed.
  private let removal: TreeRemoval?
  private static let suffix = ".discarded"

  /// Takes over the directory that the record at `scratchRecord` names. The record gets another name, because the guest's next start writes
  /// a new one.
  ///
  /// - Returns: nil when there is no record.
  init?(takingOver scratchRecord: String, runtime: String) {
    guard let path = Self.path(at: scratchRecord) else { return nil }
    let own = "\(runtime)/\(path.split(separator: "/").last ?? "")\(Self.suffix)"
    record = rename(scratchRecord, own) == 0 ? own : scratchRecord
    removal = isScratch(path) ? TreeRemoval(of: path) : nil
  }

  private init(at record: String) {
    self.record = record
    removal = Self.path(at: record).flatMap { isScratch($0) ? TreeRemoval(of: $0) : nil }
  }

  /// The directories that an earlier daemon has not finished removing.
  public static func left(in runtime: String) -> [DiscardedScratch] {
    ((try? directoryEntries(runtime)) ?? []).filter { $0.hasSuffix(suffix) }
      .map { DiscardedScratch(at: "\(runtime)/\($0)") }
  }

  /// Removes at most `limit` files, and the record after the last.
  ///
  /// - Returns: whether everything is removed.
  public func remove(atMost limit: Int = .max) -> Bool {
    guard removal?.removeNext(atMost: limit) != false else { return false }
    removeFile(record)
    return true
  }

  private static func path(at record: String) -> String? {
    (try? readFile(record, limit: 4096)).map { String(decoding: $0, as: UTF8.self) }
  }
}
