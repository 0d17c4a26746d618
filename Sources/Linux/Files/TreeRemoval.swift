import Glibc

/// Removes what is at a path and below it, piece by piece, so that whoever has something else to do gets a turn in between.
///
/// Links are not followed. Nobody else may be at work there. What cannot be removed stays.
public final class TreeRemoval {
  /// What is still there; the last goes first.
  private var rest: [Entry]

  private struct Entry {
    var path: String
    /// Everything below it has had its turn.
    var isLast = false
  }

  /// Nothing is removed yet.
  public init(of path: String) { rest = [Entry(path: path)] }

  /// Removes at most `limit` files and directories.
  ///
  /// - Returns: whether nothing is left to do.
  public func goOn(atMost limit: Int = .max) -> Bool {
    var left = limit
    while left > 0, let entry = rest.popLast() {
      remove(entry)
      left -= 1
    }
    return rest.isEmpty
  }

  private func remove(_ entry: Entry) {
    // unlink(2) tells a directory from the rest: no look beforehand that would be out of date.
    if entry.isLast || unlink(entry.path) == 0 || errno == ENOENT {
      if entry.isLast { rmdir(entry.path) }
      return
    }
    rest.append(Entry(path: entry.path, isLast: true))
    for name in (try? directoryEntries(entry.path)) ?? [] { rest.append(Entry(path: "\(entry.path)/\(name)")) }
  }
}

/// Removes what is at `path` and below it, at once.
func removeTree(_ path: String) { _ = TreeRemoval(of: path).goOn() }
