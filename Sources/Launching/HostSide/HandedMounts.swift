import Linux
import Planning

/// Mounts of file systems that are made for one start, for the child to attach.
public final class HandedMounts {
  private let list = DescriptorList()
  private(set) var kinds: [Preloaded] = []

  public init() {}

  func append(_ kind: Preloaded, _ mount: consuming OwnedFD) {
    list.append(mount)
    kinds.append(kind)
  }

  /// Borrowed; nil for what is not among them.
  func number(of kind: Preloaded) -> Int32? { kinds.firstIndex(of: kind).map { list.numbers[$0] } }
}
