/// The machine ids of the guests that run. No two may be told the same one: a root that was copied has its original's.
final class MachineIDs {
  private var owners: [String: String] = [:]

  /// An id that is one guest's for as long as this lives.
  final class Claim {
    let id: String
    /// The guest that has the id which was asked for first.
    let other: String?
    private let ids: MachineIDs

    fileprivate init(_ id: String, other: String?, in ids: MachineIDs) {
      self.id = id
      self.other = other
      self.ids = ids
    }

    deinit { ids.owners[id] = nil }
  }

  /// Claims `id` for a guest, or `substitute` when another guest that runs has it.
  func claim(_ id: String, for guest: String, else substitute: String) -> Claim {
    let other = owners[id]
    let claimed = other == nil ? id : substitute
    owners[claimed] = guest
    return Claim(claimed, other: other, in: self)
  }
}
