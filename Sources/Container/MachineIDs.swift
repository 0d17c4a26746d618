/// The machine IDs of the guests that run. No two of them get the same one: the root of a copied guest has the ID of its original.
final class MachineIDs {
  private var owners: [String: String] = [:]

  /// An ID that belongs to one guest for as long as this object lives.
  final class Claim {
    let id: String
    /// The guest that has the preferred ID; nil when this claim has it.
    let other: String?
    private let ids: MachineIDs

    fileprivate init(_ id: String, other: String?, in ids: MachineIDs) {
      self.id = id
      self.other = other
      self.ids = ids
    }

    deinit { ids.owners[id] = nil }
  }

  /// Claims `id` for a guest, or `substitute` when another guest that runs has `id`.
  func claim(_ id: String, for guest: String, else substitute: String) -> Claim {
    let other = owners[id]
    let claimed = other == nil ? id : substitute
    owners[claimed] = guest
    return Claim(claimed, other: other, in: self)
  }
}
