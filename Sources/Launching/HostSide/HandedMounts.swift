import Linux
import Planning

/// Mounts made for one instance that the child attaches in the guest.
public final class HandedMounts {
  private let list = DescriptorList()
  private(set) var kinds: [Preloaded] = []

  public init() {}

  func append(_ kind: Preloaded, _ mount: consuming OwnedFD) {
    list.append(mount)
    kinds.append(kind)
  }

  /// The descriptor of a mount, borrowed; nil when it was not made.
  func number(of kind: Preloaded) -> Int32? { kinds.firstIndex(of: kind).map { list.numbers[$0] } }
}
