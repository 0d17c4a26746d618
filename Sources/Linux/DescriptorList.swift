/// A list that owns descriptors in order, and closes them when it is released. (An array cannot hold noncopyable values.)
///
/// It is not Sendable, because it belongs to the thread that made it.
public final class DescriptorList {
  /// The numbers, which are borrowed. Only `Linux`, `Launching` and `Systemd` use them.
  public private(set) var numbers: [Int32] = []

  public init() {}

  deinit {
    for number in numbers { _ = OwnedFD(owning: number) }
  }

  /// How many are left.
  public var count: Int { numbers.count }

  /// Passes ownership of the first descriptor to the caller; nil when none is left.
  public func takeFirst() -> OwnedFD? { numbers.isEmpty ? nil : OwnedFD(owning: numbers.removeFirst()) }

  /// Takes over `descriptor` as the last of the list.
  public func append(_ descriptor: consuming OwnedFD) { numbers.append(descriptor.release()) }
}
