import Glibc
import Linux

/// The scratch directory of an instance that has ended. Its record stays until the whole directory is removed, so that the next daemon
/// finds what a killed one has left.
public struct DiscardedScratch: Sendable {
  private let record: String
  /// The directory; nil when the record does not name a scratch directory. Then nothing is removed.
  public let path: String?
  private static let suffix = ".discarded"

  /// Takes over the directory that the record at `scratchRecord` names. The record gets another name, because the guest's next start writes
  /// a new one.
  ///
  /// - Returns: nil when there is no record.
  init?(takingOver scratchRecord: String, runtime: String) {
    guard let path = Self.path(at: scratchRecord) else { return nil }
    let own = "\(runtime)/\(path.split(separator: "/").last ?? "")\(Self.suffix)"
    record = rename(scratchRecord, own) == 0 ? own : scratchRecord
    self.path = isScratch(path) ? path : nil
  }

  private init(at record: String) {
    self.record = record
    path = Self.path(at: record).flatMap { isScratch($0) ? $0 : nil }
  }

  /// The directories that an earlier daemon has not finished removing.
  public static func left(in runtime: String) -> [DiscardedScratch] {
    ((try? directoryEntries(runtime)) ?? []).filter { $0.hasSuffix(suffix) }
      .map { DiscardedScratch(at: "\(runtime)/\($0)") }
  }

  /// Removes the record, when the directory has been removed.
  public func forget() { removeFile(record) }

  /// Removes the directory, which may take long, and then its record.
  ///
  /// - Throws: `SystemError` with a file that cannot be removed. The record stays then.
  public func remove() throws(SystemError) {
    if let path { try removeTree(path) }
    forget()
  }

  private static func path(at record: String) -> String? {
    (try? readFile(record, limit: 4096)).map { String(decoding: $0, as: UTF8.self) }
  }
}
