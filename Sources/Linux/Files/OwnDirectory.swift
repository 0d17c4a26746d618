import Glibc

/// Whether only root and this process's effective user can write to a directory, or replace it or a directory above it.
///
/// A directory above it may be writable for all if it is sticky, as /tmp is: there only the owner of an entry can replace it. A directory
/// that does not exist counts as theirs when the ones above it are: nobody else can make it.
public func isOnlyOurs(_ directory: String) -> Bool {
  // Checks the path as given and its target: a symbolic link is safe only if the directories around it are.
  isOurWay(directory) && (realPath(directory).map(isOurWay) ?? true)
}

private func isOurWay(_ path: String) -> Bool {
  let components = path.split(separator: "/")
  var prefix = ""
  for (index, component) in ([""] + components).enumerated() {
    if index > 0 { prefix += "/" + component }
    switch isOurs(index == 0 ? "/" : prefix, isLast: index == components.count) {
    case true?: continue
    case false?: return false
    case nil: return true
    }
  }
  return true
}

/// Checks one file of the path; `isLast` is set for the directory itself.
///
/// - Returns: nil when there is no such file.
private func isOurs(_ path: String, isLast: Bool) -> Bool? {
  var status = stat()
  guard lstat(path, &status) == 0 else { return errno == ENOENT ? nil : false }
  guard status.st_uid == 0 || status.st_uid == geteuid() else { return false }
  if status.st_mode & S_IFMT == S_IFLNK || status.st_mode & 0o022 == 0 { return true }
  // Only root is expected in the group root, so its write permission is harmless.
  if status.st_mode & 0o002 == 0 && status.st_gid == 0 { return true }
  return !isLast && status.st_mode & S_ISVTX != 0
}

private func realPath(_ path: String) -> String? {
  guard let real = realpath(path, nil) else { return nil }
  defer { free(real) }
  return String(cString: real)
}
