/// The name of one life of a guest: the guest's name and the number of the instance, `web.3`.
///
/// The cgroup, the scope and the files in the daemon's runtime directory have names that derive from this one, here and nowhere else. No
/// name is used twice, so what a killed daemon left behind never belongs to a later instance by mistake.
public struct InstanceName: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The guest's name, which its machine ID, its hostname and its entry with systemd-machined keep.
  public let guest: String
  /// `InstanceNumbers` chooses it.
  public let number: UInt32

  public init(_ guest: String, _ number: UInt32) {
    self.guest = guest
    self.number = number
  }

  /// Reads what `description` writes. A guest's name may contain dots, so the number follows the last one.
  ///
  /// - Returns: nil for any other text, a number with a sign or with leading zeros included: one instance has one spelling.
  public init?(_ text: some StringProtocol) {
    guard let dot = text.lastIndex(of: "."), let number = UInt32(text[text.index(after: dot)...]) else { return nil }
    self.init(String(text[..<dot]), number)
    if guest.isEmpty || description != text { return nil }
  }

  /// `web.3`.
  public var description: String { "\(guest).\(number)" }

  /// Sorts the instances of a guest from the oldest to the newest.
  public static func < (one: InstanceName, other: InstanceName) -> Bool {
    (one.guest, one.number) < (other.guest, other.number)
  }
}
