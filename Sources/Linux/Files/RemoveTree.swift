import Glibc

/// Removes a file or a directory tree of any size and depth. That it is not there is no error.
///
/// Symbolic links are not followed. Nobody else may change the tree meanwhile. It takes time in proportion to the tree, but few descriptors
/// and a bounded number of names: whoever filled the tree may have wanted to exhaust them.
///
/// - Throws: `SystemError` with the first file that cannot be removed; calling this again goes on.
public func removeTree(_ path: String) throws(SystemError) {
  if unlink(path) == 0 || errno == ENOENT { return }
  var removal = TreeRemoval(path: path, current: try DirectoryStream(path))
  try removal.run()
  if rmdir(path) == -1 && errno != ENOENT { throw SystemError("rmdir \(path)", errno: errno) }
}

private struct TreeRemoval {
  /// For messages.
  let path: String
  /// The directory that is being emptied.
  var current: DirectoryStream
  /// The way to it from the top, which is not in the list.
  var way: [Level] = []

  /// A directory on the way.
  struct Level {
    let name: FileName
    let parent: DirectoryStream.Identity
  }

  mutating func run() throws(SystemError) {
    while true {
      if let name = try emptyCurrent() {
        way.append(Level(name: name, parent: try current.identity()))
        current = try current.open(name)
      } else if let level = way.popLast() {
        current = try current.openParent(level.parent)
        // Some file systems skip names while others are removed: then the directory is met again.
        _ = try remove(level.name, isDirectory: true)
      } else {
        return
      }
    }
  }

  /// Removes what can be removed from the current directory without entering another.
  ///
  /// - Returns: a directory to enter; nil when none is left.
  private mutating func emptyCurrent() throws(SystemError) -> FileName? {
    current.position = 0
    while let (name, type) = try current.next() {
      // unlink(2) fails for a directory, so no stat(2) is needed first.
      if type != Int32(DT_DIR), try remove(name, isDirectory: false) { continue }
      if !(try remove(name, isDirectory: true)) { return name }
    }
    return nil
  }

  /// - Returns: whether it is gone: false for a directory that is not empty, or where none was expected.
  private func remove(_ name: FileName, isDirectory: Bool) throws(SystemError) -> Bool {
    let error = current.remove(name, isDirectory: isDirectory)
    if error == 0 { return true }
    if error == (isDirectory ? ENOTEMPTY : EISDIR) { return false }
    throw SystemError("remove \(name) below \(path)", errno: error)
  }
}
