import Glibc

/// Removes a file or a directory tree of any size and depth. A missing file is no error.
///
/// Symbolic links are not followed. Nobody else may change the tree meanwhile. At most two directories are open at a time, and the memory
/// grows with the depth of the tree but not with its number of files, so that its maker cannot exhaust this process.
///
/// - Throws: `SystemError` that names the first file which cannot be removed. What was removed before stays removed.
public func removeTree(_ path: String) throws(SystemError) {
  if unlink(path) == 0 || errno == ENOENT { return }
  var removal = TreeRemoval(path: path, current: try DirectoryStream(path))
  try removal.run()
  if rmdir(path) == -1 && errno != ENOENT { throw SystemError("rmdir \(path)", errno: errno) }
}

private struct TreeRemoval {
  /// The path of the tree's top, for error messages.
  let path: String
  /// The directory that is being emptied.
  var current: DirectoryStream
  /// The directories from below the top to `current`.
  var way: [Level] = []

  /// One of these directories: its name, and the directory that it is in.
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
        // On some file systems readdir(3) skips names while others are removed. The directory is not empty then, and is entered again.
        _ = try remove(level.name, isDirectory: true)
      } else {
        return
      }
    }
  }

  /// Removes files and empty directories from the current directory, until it finds a directory that is not empty.
  ///
  /// - Returns: that directory; nil when the current directory is empty.
  private mutating func emptyCurrent() throws(SystemError) -> FileName? {
    current.position = 0
    while let (name, type) = try current.next() {
      // unlink(2) fails for a directory, so no stat(2) is needed first.
      if type != Int32(DT_DIR), try remove(name, isDirectory: false) { continue }
      if !(try remove(name, isDirectory: true)) { return name }
    }
    return nil
  }

  /// - Returns: whether the name is gone; false for a directory that is not empty, or that is one although `isDirectory` is false.
  private func remove(_ name: FileName, isDirectory: Bool) throws(SystemError) -> Bool {
    let error = current.remove(name, isDirectory: isDirectory)
    if error == 0 { return true }
    if error == (isDirectory ? ENOTEMPTY : EISDIR) { return false }
    throw SystemError("remove \(name) below \(path)", errno: error)
  }
}
