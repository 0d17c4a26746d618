import Glibc

/// Removes a file or a directory tree in steps, so that the event loop can do other work in between.
///
/// Symbolic links are not followed. Nobody else may change the tree meanwhile. What cannot be removed stays.
public final class TreeRemoval {
  /// The entries still to remove, the next one last.
  private var rest: [Entry]

  private struct Entry {
    var path: String
    /// Whether everything below it was removed, as far as possible.
    var isLast = false
  }

  /// Prepares the removal; nothing is removed yet.
  public init(of path: String) { rest = [Entry(path: path)] }

  /// Removes at most `limit` files and directories.
  ///
  /// - Returns: whether nothing is left to do.
  public func removeNext(atMost limit: Int = .max) -> Bool {
    var left = limit
    while left > 0, let entry = rest.popLast() {
      remove(entry)
      left -= 1
    }
    return rest.isEmpty
  }

  private func remove(_ entry: Entry) {
    // unlink(2) fails for a directory, so no stat(2) is needed first, whose result could be outdated.
    if entry.isLast || unlink(entry.path) == 0 || errno == ENOENT {
      if entry.isLast { rmdir(entry.path) }
      return
    }
    rest.append(Entry(path: entry.path, isLast: true))
    for name in (try? directoryEntries(entry.path)) ?? [] { rest.append(Entry(path: "\(entry.path)/\(name)")) }
  }
}

/// Removes a file or a directory tree in one step.
func removeTree(_ path: String) { _ = TreeRemoval(of: path).removeNext() }
