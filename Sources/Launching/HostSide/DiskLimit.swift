import GuestSpec
import Linux

/// `DiskMax=`: the limit on what a guest writes to its scratch directory.
public enum DiskLimit: Equatable, Sendable {
  /// The guest's file sets no limit.
  case unlimited
  /// The file system keeps this limit, in bytes.
  case kept(UInt64)
  /// The limit is not kept, for this reason in words.
  case unkept(String)

  /// Limits the scratch directory of a start.
  ///
  /// - Parameters:
  ///   - guest: the guest, for its `DiskMax=`.
  ///   - scratch: the directory, still empty; nil when the guest needs none.
  ///   - base: the first ID of the guest's users; 0 when they are the host's.
  init(_ guest: Guest, scratch: String?, base: UInt32) {
    let amount: Resources.Amount
    switch guest.policy.resources.diskMax {
    case nil, .infinity?:
      self = .unlimited
      return
    case let asked?: amount = asked
    }
    guard let scratch else {
      self = .unkept(Self.withoutLayer)
      return
    }
    do throws(SystemError) {
      let bytes = amount.part(of: try FileSystemSpace(of: scratch).total)
      try ProjectQuota.limit(scratch, project: Self.project(base, guest.name), bytes: bytes)
      self = .kept(bytes)
    } catch {
      self = .unkept("\(error); \(ProjectQuota.remedy(at: scratchParent))")
    }
  }

  private static let withoutLayer =
    "the guest writes to its Directory= or to memory, and not to a layer of Dormouse's on disk"

  /// A number of the guest's own: the first ID of its range, which no other guest has while this one runs. A guest with the host's users gets
  /// one behind all ranges, from its name.
  private static func project(_ base: UInt32, _ name: String) -> UInt32 {
    if base != 0 { return base }
    let hash = name.utf8.reduce(UInt32(0x811C_9DC5)) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    return 0x7000_0000 | hash & 0x0FFF_FFFF
  }
}
