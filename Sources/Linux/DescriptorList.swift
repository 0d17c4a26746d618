/// Descriptors in an order that matters, owned together and closed at the list's end. (Noncopyable values cannot be kept in an
/// array.)
///
/// Not Sendable: it belongs to whoever made it.
public final class DescriptorList {
  /// The numbers, borrowed, for `Linux`, `Launching` and `Systemd` only.
  public private(set) var numbers: [Int32] = []

  public init() {}

  deinit {
    for number in numbers { _ = OwnedFD(owning: number) }
  }

  /// How many are left.
  public var count: Int { numbers.count }

  /// Gives the first away; nil when there is none left.
  public func takeFirst() -> OwnedFD? { numbers.isEmpty ? nil : OwnedFD(owning: numbers.removeFirst()) }

  /// Takes `descriptor` over, as the last of the list.
  public func append(_ descriptor: consuming OwnedFD) { numbers.append(descriptor.release()) }
}
