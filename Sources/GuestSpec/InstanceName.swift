/// The name of an instance, which is one life of a guest: the guest's name and the number of the instance, `web.3`.
///
/// The names of the cgroup, the scope and the files in the daemon's runtime directory derive from it. No name is used twice, so what a
/// killed daemon leaves is never mistaken for part of a later instance.
public struct InstanceName: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The name of the guest, which the machine ID, the hostname and the entry in systemd-machined have for all its instances.
  public let guest: String
  /// The number of the instance, which `InstanceNumbers` assigns.
  public let number: UInt32

  public init(_ guest: String, _ number: UInt32) {
    self.guest = guest
    self.number = number
  }

  /// Reads a name such as `web.3`. The number follows the last dot, because the name of a guest may contain dots.
  ///
  /// - Returns: nil for any other text. A number with a sign or leading zeros is refused, so that an instance has only one spelling.
  public init?(_ text: some StringProtocol) {
    guard let dot = text.lastIndex(of: "."), let number = UInt32(text[text.index(after: dot)...]) else { return nil }
    self.init(String(text[..<dot]), number)
    if guest.isEmpty || description != text { return nil }
  }

  /// The name in the form `web.3`.
  public var description: String { "\(guest).\(number)" }

  /// Sorts the instances of a guest from the oldest to the newest.
  public static func < (one: InstanceName, other: InstanceName) -> Bool {
    (one.guest, one.number) < (other.guest, other.number)
  }
}
